// The address of a path of the host, which may be served below another one.

const base = new URL("../..", import.meta.url).pathname;

export const url = (path) => base + path.replace(/^\//, "");
