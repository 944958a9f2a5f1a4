// Parts of a page with an `id` and `data-refresh`, its seconds: the page is fetched again so often,
// while somebody looks at it and as long as it asks for it.

import { morph } from "./morph.js";
import { tellTimes } from "./shell.js";

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const element of document.querySelectorAll("[data-refresh]")) {
    const fresh = page.getElementById(element.id);
    if (!fresh) continue;
    morph(element, fresh.innerHTML);
    tellTimes(element);
    if (!("refresh" in fresh.dataset)) delete element.dataset.refresh;
  }
}

function wait() {
  const seconds = [...document.querySelectorAll("[data-refresh]")].map((each) => Number(each.dataset.refresh));
  if (!seconds.length) return;
  setTimeout(async () => {
    await refresh().catch(() => {}); // The host is away; the next look may find it back.
    wait();
  }, Math.min(...seconds) * 1000);
}

wait();
