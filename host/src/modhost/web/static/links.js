// The address of a path of the host, which may be served below another one.

// Static files are under their version where browsers may keep them.
const base = new URL(import.meta.url).pathname.replace(/static\/(v-[^/]+\/)?modhost\/links\.js$/, "");

export const url = (path) => base + path.replace(/^\//, "");
