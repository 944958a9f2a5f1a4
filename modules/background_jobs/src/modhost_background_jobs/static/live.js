// Hears of changes: by server-sent events, by polling where they do not get through.

import { append, lastLine } from "./log.js";
import { url } from "../modhost/links.js";
import { say, show } from "./show.js";

const EVENTS = url("/admin/jobs/events");
const POLL_MS = 2000;
const PATIENCE_MS = 5000;
const TRY_AGAIN_MS = 30_000;

const watching = document.querySelector("[data-watch]");
const mark = document.querySelector("[data-live-mark]");

let source = null;
let timers = [];

function query() {
  const { watch, span, job, search, types, schedules, workflowState } = watching.dataset;
  const values = new URLSearchParams({ watch });
  if (span) values.set("span", span);
  if (job) values.append("id", job);
  if (types) values.set("types", types);
  if (schedules) values.set("schedules", schedules);
  if (workflowState) values.set("workflow_state", workflowState);
  if (search !== undefined) {
    values.set("newest", "true");
    values.set("search", search);
  }
  for (const row of watching.querySelectorAll("tr[data-job]")) values.append("id", row.dataset.job);
  if (lastLine() !== undefined) values.set("line", lastLine());
  return values;
}

function tellState(state, words) {
  if (!mark) return;
  if (state === "waiting" && mark.dataset.liveMark === "live") say("No longer live: reconnecting.");
  if (state === "live" && mark.dataset.liveMark === "waiting") say("Live again.");
  mark.hidden = false;
  mark.dataset.liveMark = state;
  mark.textContent = words;
}

function listen() {
  stop();
  const opened = new EventSource(`${EVENTS}?${query()}`);
  source = opened;
  const patience = setTimeout(poll, PATIENCE_MS);
  timers.push(patience);
  const heard = (take) => (event) => {
    clearTimeout(patience);
    if (source !== opened) return;
    tellState("live", "Live");
    take(JSON.parse(event.data));
  };
  opened.addEventListener("fragments", heard(show));
  opened.addEventListener("log", heard(append));
  opened.addEventListener("bye", leave);
  opened.addEventListener("behind", () => {
    clearTimeout(patience);
    if (source === opened) tellState("waiting", "Reconnecting");
  });
  opened.onerror = () => {
    if (source !== opened) return;
    tellState("waiting", "Reconnecting");
    if (opened.readyState === EventSource.CLOSED) poll();
  };
}

// Asks every now and then, and tries from time to time whether events get through again.
function poll() {
  stop();
  timers.push(setInterval(look, POLL_MS), setTimeout(listen, TRY_AGAIN_MS));
  look();
}

async function look() {
  // An answer that comes after a stop is that of an earlier state.
  const asked = timers;
  try {
    const answer = await fetch(`${EVENTS}?${query()}&poll=true`, {
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (timers !== asked) return;
    if (answer.redirected || answer.status === 401 || answer.status === 403) return leave();
    if (!answer.ok) return tellState("waiting", "Reconnecting");
    const { fragments, log } = await answer.json();
    if (timers !== asked) return;
    tellState("live", "Live");
    show(fragments);
    append(log);
  } catch {
    // The host is away; the next look may find it back.
    if (timers === asked) tellState("waiting", "Reconnecting");
  }
}

function stop() {
  for (const timer of timers) clearTimeout(timer);
  timers = [];
  source?.close();
  source = null;
}

function leave() {
  stop();
  document.removeEventListener("visibilitychange", follow);
  tellState("paused", "Not live");
  const notice = document.querySelector("[data-logged-out]");
  notice.hidden = false;
  say(notice.textContent.trim());
}

function follow() {
  if (!document.hidden) return listen();
  stop();
  tellState("paused", "Paused");
}

if (watching) {
  document.addEventListener("visibilitychange", follow);
  follow();
}
