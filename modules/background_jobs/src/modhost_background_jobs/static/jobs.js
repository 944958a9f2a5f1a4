// Keeps a page up to date: by server-sent events, by polling where they do not get through.

import { tellTimes } from "/static/modhost/shell.js";

const EVENTS = "/admin/jobs/events";
const POLL_MS = 2000;
const PATIENCE_MS = 5000;
const MOST_LINES = 2000;

const watching = document.querySelector("[data-watch]:not([data-static])");
const log = document.querySelector("[data-log]");

function query() {
  const values = new URLSearchParams({ watch: watching.dataset.watch });
  if (watching.dataset.span) values.set("span", watching.dataset.span);
  if (watching.dataset.job) values.append("id", watching.dataset.job);
  for (const row of watching.querySelectorAll("tr[data-job]")) values.append("id", row.dataset.job);
  if (log) values.set("line", log.dataset.line);
  return values;
}

const shown = new Map();

function show(fragments) {
  for (const [name, html] of Object.entries(fragments)) {
    const element = document.querySelector(`[data-live="${CSS.escape(name)}"]`);
    if (!element || shown.get(name) === html) continue;
    shown.set(name, html);
    replace(element, html);
  }
}

// What the visitor has focused or unfolded stays so.
function replace(element, html) {
  const focused = element.contains(document.activeElement) ? place(element, document.activeElement) : null;
  const open = [...element.querySelectorAll("details")].map((each) => each.open);
  element.innerHTML = html;
  const details = [...element.querySelectorAll("details")];
  // A new attempt comes first: what was unfolded is counted from the end.
  open.reverse().forEach((isOpen, index) => { if (details.at(-1 - index)) details.at(-1 - index).open = isOpen; });
  tellTimes(element);
  if (focused) element.querySelector(focused)?.focus({ preventScroll: true });
}

function place(element, focused) {
  const href = focused.getAttribute("href");
  if (href) return `[href="${CSS.escape(href)}"]`;
  const tag = focused.tagName.toLowerCase();
  return element.querySelectorAll(tag).length === 1 ? tag : null;
}

function append(lines) {
  if (!log || !lines.length) return;
  log.querySelector("[data-log-empty]")?.remove();
  const parts = document.createDocumentFragment();
  for (const { line, at, message } of lines) {
    if (line <= Number(log.dataset.line)) continue;
    log.dataset.line = line;
    const paragraph = document.createElement("p");
    paragraph.className = "log-line";
    const time = document.createElement("time");
    time.dateTime = at;
    time.dataset.exact = "";
    time.textContent = at.slice(11, 23);
    const text = document.createElement("span");
    text.textContent = message;
    paragraph.append(time, " ", text);
    parts.append(paragraph);
  }
  tellTimes(parts);
  log.append(parts);
  const all = log.querySelectorAll(".log-line");
  for (let index = 0; index < all.length - MOST_LINES; index += 1) all[index].remove();
  if (document.querySelector("[data-follow]")?.checked) log.scrollTop = log.scrollHeight;
}

let source = null;
let poller = null;
let patience = null;

function listen() {
  stop();
  source = new EventSource(`${EVENTS}?${query()}`);
  patience = setTimeout(poll, PATIENCE_MS);
  const heard = () => clearTimeout(patience);
  source.addEventListener("fragments", (event) => { heard(); show(JSON.parse(event.data)); });
  source.addEventListener("log", (event) => { heard(); append(JSON.parse(event.data)); });
  source.onerror = () => { if (source?.readyState === EventSource.CLOSED) poll(); };
}

function poll() {
  stop();
  poller = setInterval(look, POLL_MS);
  look();
}

async function look() {
  try {
    const answer = await fetch(`${EVENTS}?${query()}&poll=true`, { headers: { Accept: "application/json" } });
    if (answer.redirected || answer.status === 401 || answer.status === 403) return stop();
    if (!answer.ok) return;
    const { fragments, log: lines } = await answer.json();
    show(fragments);
    append(lines);
  } catch {
    // The host is away; the next look may find it back.
  }
}

function stop() {
  clearTimeout(patience);
  clearInterval(poller);
  source?.close();
  source = null;
}

if (watching) {
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
  if (!document.hidden) listen();
}

if (log) {
  document.querySelector(".follow")?.removeAttribute("hidden");
  log.scrollTop = log.scrollHeight;
}

const allRows = document.querySelector("[data-all-rows]");
if (allRows) {
  const boxes = () => [...document.querySelectorAll('input[name="id"]')];
  const told = document.querySelector(".many-told");
  const tell = () => {
    const count = boxes().filter((box) => box.checked).length;
    if (count) told.textContent = `${count} selected`;
  };
  allRows.hidden = false;
  allRows.addEventListener("change", () => { boxes().forEach((box) => { box.checked = allRows.checked; }); tell(); });
  document.querySelector("#many").addEventListener("change", tell);
}

// The outcome of an action is told once, not again after a reload.
if (new URLSearchParams(location.search).has("notice")) {
  const address = new URL(location.href);
  for (const name of ["notice", "done", "left"]) address.searchParams.delete(name);
  history.replaceState(null, "", address);
}
