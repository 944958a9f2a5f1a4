// Parts of a page with an `id` and `data-refresh`, its seconds: the page is fetched again so often,
// while it is visible and as long as it asks for it.

import { morph } from "./morph.js";
import { showTimes } from "./shell.js";

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const element of document.querySelectorAll("[data-refresh]")) {
    const fresh = page.getElementById(element.id);
    if (!fresh) continue;
    morph(element, fresh.innerHTML);
    showTimes(element);
    if (!("refresh" in fresh.dataset)) delete element.dataset.refresh;
  }
}

function wait() {
  const seconds = [...document.querySelectorAll("[data-refresh]")].map((each) => Number(each.dataset.refresh));
  if (!seconds.length) return;
  setTimeout(async () => {
    await refresh().catch(() => {}); // The host is away; the next fetch may find it again.
    wait();
  }, Math.min(...seconds) * 1000);
}

wait();
