// Tells on the first page of the list that there are jobs which it does not show yet. The rows stay
// where they are: what somebody is about to tick must not move.

const EVERY_MS = 10_000;

const told = document.querySelector("[data-newer]");
const idsOf = (page) => [...page.querySelectorAll("tr[data-job]")].map((row) => row.dataset.job);

async function look() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const shown = new Set(idsOf(document));
  const count = idsOf(page).findIndex((id) => shown.has(id));
  const atLeast = count < 0 ? idsOf(page).length : count;
  if (!atLeast) return;
  const words = `${atLeast}${count < 0 ? " or more" : ""} new job${atLeast === 1 && count >= 0 ? "" : "s"}`;
  told.querySelector("span").textContent = words;
  told.hidden = false;
}

// The host may be away; the next look may find it back.
if (told) setInterval(() => look().catch(() => {}), EVERY_MS);
