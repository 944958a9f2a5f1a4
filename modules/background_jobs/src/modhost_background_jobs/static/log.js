// The end of a job's log, as it grows.

import { showTimes } from "../modhost/shell.js";

const MOST_LINES = 2000;
const NEAR_END = 24;

const log = document.querySelector("[data-log]");
const follow = document.querySelector("[data-follow]");
const words = log?.dataset.words.toLowerCase() ?? "";
let top = 0;

export const lastLine = () => log?.dataset.line;

export function append(lines) {
  if (!log || !lines.length) return;
  const parts = document.createDocumentFragment();
  for (const each of lines) {
    if (each.line <= Number(log.dataset.line)) continue;
    log.dataset.line = each.line;
    if (each.message.toLowerCase().includes(words)) parts.append(paragraph(each));
  }
  if (!parts.hasChildNodes()) return;
  // The browser reports a scroll later than it happens.
  noticeScroll();
  log.querySelector("[data-log-empty]")?.remove();
  log.append(parts);
  prune();
  markDays();
  if (follow?.checked) log.scrollTop = log.scrollHeight;
  top = log.scrollTop;
}

// Scrolling up is reading; coming back to the end is following again.
function noticeScroll() {
  if (!follow || log.scrollTop === top) return;
  if (isAtEnd()) follow.checked = true;
  else if (log.scrollTop < top) follow.checked = false;
  top = log.scrollTop;
}

// A line with the date stands where the visitor's own day changes.
function markDays() {
  let last = "";
  let marked = null;
  for (const line of log.querySelectorAll(".log-day, .log-line")) {
    const { dateTime } = line.querySelector("time");
    const day = new Date(dateTime).toDateString();
    if (line.className === "log-day") {
      marked?.remove();
      marked = line;
      continue;
    }
    const isNew = day !== last;
    if (isNew && !marked) line.before(dayOf(dateTime));
    else if (isNew) marked.querySelector("time").dateTime = dateTime;
    else marked?.remove();
    marked = null;
    last = day;
  }
  showTimes(log);
}

function dayOf(dateTime) {
  const line = document.createElement("p");
  line.className = "log-day";
  const time = document.createElement("time");
  time.dateTime = dateTime;
  time.dataset.format = "date";
  line.append(time);
  return line;
}

function paragraph({ at, message }) {
  const line = document.createElement("p");
  line.className = "log-line";
  const time = document.createElement("time");
  time.dateTime = at;
  time.dataset.format = "clock";
  time.textContent = at.slice(11, 23);
  const text = document.createElement("span");
  text.append(...marked(message));
  line.append(time, " ", text);
  return line;
}

function marked(message) {
  if (!words) return [message];
  const lower = message.toLowerCase();
  const parts = [];
  let from = 0;
  for (let at = lower.indexOf(words); at >= 0; at = lower.indexOf(words, from)) {
    const hit = document.createElement("mark");
    hit.textContent = message.slice(at, at + words.length);
    parts.push(message.slice(from, at), hit);
    from = at + words.length;
  }
  return [...parts, message.slice(from)];
}

// What is being read keeps its place when lines above it go.
function prune() {
  const all = log.querySelectorAll(".log-line");
  if (all.length <= MOST_LINES) return;
  const height = log.scrollHeight;
  for (let index = 0; index < all.length - MOST_LINES; index += 1) all[index].remove();
  log.scrollTop -= height - log.scrollHeight;
}

const isAtEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;

if (log) {
  markDays();
  log.scrollTop = log.scrollHeight;
  top = log.scrollTop;
  if (follow) {
    follow.closest("[hidden]")?.removeAttribute("hidden");
    log.addEventListener("scroll", noticeScroll);
    follow.addEventListener("change", () => { if (follow.checked) log.scrollTop = log.scrollHeight; });
  }
}
