// Puts what has changed onto the page, and says aloud what matters of it.

import { showTimes } from "../modhost/shell.js";
import { morph } from "../modhost/morph.js";
import { tellNewer } from "./newer.js";

const AT_MOST_EVERY_MS = 20_000;

const shown = new Map();
const announcer = document.querySelector("[data-announcer]");
const said = new Map();
let quietUntil = 0;

export function show(fragments) {
  for (const [name, html] of Object.entries(fragments)) {
    const element = document.querySelector(`[data-live="${CSS.escape(name)}"]`);
    if (!element || shown.get(name) === html) continue;
    shown.set(name, html);
    const hadFocus = element.contains(document.activeElement);
    morph(element, html);
    showTimes(element);
    // A button that is gone leaves the focus nowhere: then it goes to the page, not to its top.
    if (hadFocus && !document.contains(document.activeElement.closest("[data-live]"))) {
      document.querySelector("#main").focus({ preventScroll: true });
    }
  }
  announce();
  retitle();
  tellNewer();
}

function retitle() {
  const state = document.querySelector("[data-title]")?.dataset.title;
  if (state) document.title = document.title.replace(/^[^·]+ · /, `${state} · `);
}

// Elements with `data-announce` hold the words; numbers, which change all the time, at most
// every now and then.
function announce() {
  for (const element of document.querySelectorAll("[data-announce]")) {
    const words = element.dataset.announce;
    const isCalm = "announceCalmly" in element.dataset;
    if (said.get(element) === words || (isCalm && Date.now() < quietUntil)) continue;
    say(words);
    said.set(element, words);
    if (isCalm) quietUntil = Date.now() + AT_MOST_EVERY_MS;
  }
}

export function say(words) {
  if (announcer) announcer.textContent = words;
}

for (const element of document.querySelectorAll("[data-announce]")) {
  said.set(element, element.dataset.announce);
}
