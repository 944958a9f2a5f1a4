// Times: counted from now, and in the visitor's own zone on hover.

import "./copying.js";
import "./refresh.js";
import "./shortcuts.js";
import { url } from "./links.js";

const UNITS = [["d", 86400], ["h", 3600], ["min", 60]];

function ago(seconds) {
  const size = Math.abs(seconds);
  if (size < 5) return "just now";
  const [unit, length] = UNITS.find(([, each]) => size >= each) ?? ["s", 1];
  const span = `${Math.floor(size / length)} ${unit}`;
  return seconds > 0 ? `${span} ago` : `in ${span}`;
}

function elapsed(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const index = UNITS.findIndex(([, each]) => whole >= each);
  if (index < 0) return `${whole} s`;
  const [unit, length] = UNITS[index];
  const [lesser, lesserLength] = UNITS[index + 1] ?? ["s", 1];
  const rest = Math.floor((whole % length) / lesserLength);
  return `${Math.floor(whole / length)} ${unit}` + (rest ? ` ${rest} ${lesser}` : "");
}

const CHOICE = "modhost-exact-times";
const A_YEAR = 365 * 24 * 3600;
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const pad = (number, length = 2) => String(number).padStart(length, "0");
const minute = (moment) => `${pad(moment.getHours())}:${pad(moment.getMinutes())}`;
const since = (moment) => (Date.now() - moment.getTime()) / 1000;

// The formats of `data-format`; moments with `data-exact` stay as the server wrote them.
const FORMATS = {
  ago: (moment) => ago(since(moment)),
  elapsed: (moment) => elapsed(since(moment)),
  clock: (moment) => `${minute(moment)}:${pad(moment.getSeconds())}.${pad(moment.getMilliseconds(), 3)}`,
  minute,
  date: (moment) => `${moment.getDate()} ${moment.toLocaleString("en", { month: "short" })} ${moment.getFullYear()}`,
  stamp,
  day: (moment) => `${moment.getDate()} ${moment.toLocaleString("en", { month: "short" })} ${minute(moment)}`,
};
const MOVING = ["ago", "elapsed"];
const root = document.documentElement;

function textOf(moment, format) {
  return format === "ago" && "exactTimes" in root.dataset ? stamp(moment) : FORMATS[format](moment);
}

function stamp(moment) {
  const year = moment.getFullYear() === new Date().getFullYear() ? "" : `${moment.getFullYear()} `;
  const [date, clock] = FORMATS.day(moment).split(/ (?=\S+$)/);
  return `${date} ${year}${clock}:${pad(moment.getSeconds())}`;
}

function showTime(element) {
  const moment = new Date(element.dateTime);
  const format = element.dataset.format ?? "ago";
  const isNew = element.dataset.shown !== element.dateTime;
  if (isNew) {
    element.dataset.shown = element.dateTime;
    element.title = exact.format(moment);
  }
  if ("exact" in element.dataset || !(isNew || MOVING.includes(format))) return;
  const text = textOf(moment, format);
  if (element.textContent !== text) element.textContent = text;
}

export function showTimes(root = document, which = "time[datetime]") {
  for (const element of root.querySelectorAll(which)) showTime(element);
}

// Exact times in place of those counted from now, for those who cannot hover: a choice that stays, in a
// cookie, since without JavaScript the server writes the times.
const choice = document.querySelector("[data-times]");
choice?.addEventListener("click", (event) => {
  event.preventDefault();
  const isExact = !("exactTimes" in root.dataset);
  document.cookie = `${CHOICE}=${isExact ? "yes" : "no"}; path=${url("/")}; max-age=${A_YEAR}; samesite=lax`;
  if (isExact) root.dataset.exactTimes = "";
  else delete root.dataset.exactTimes;
  choice.setAttribute("aria-pressed", String(isExact));
  showTimes();
});
showTimes();
setInterval(() => { if (!document.hidden) showTimes(document, "time[datetime]:not([data-exact])"); }, 10_000);
setInterval(() => { if (!document.hidden) showTimes(document, '[data-format="elapsed"]'); }, 1000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) showTimes(); });
