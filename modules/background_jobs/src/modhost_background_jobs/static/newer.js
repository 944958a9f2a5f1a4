// Announces on the first page of the list that there are jobs which it does not show yet. The rows stay
// where they are: what somebody is about to tick must not move.

const link = document.querySelector("[data-newer]");

export function tellNewer() {
  const newest = document.querySelector("[data-newest]")?.dataset.newest;
  if (!link || !newest) return;
  const ids = newest.split(" ");
  const shown = new Set([...document.querySelectorAll("tr[data-job]")].map((row) => row.dataset.job));
  const first = ids.findIndex((id) => shown.has(id));
  const count = first < 0 ? ids.length : first;
  link.hidden = !count;
  if (count) link.querySelector("span").textContent = `${count}${first < 0 ? " or more" : ""} new job${count === 1 && first >= 0 ? "" : "s"}`;
}
