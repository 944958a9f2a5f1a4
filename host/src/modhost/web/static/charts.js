// The figures of one place of a chart: where the pointer is, or where the arrow keys have gone.

import { showTimes } from "./shell.js";

const CHART = "svg[data-readings]";
const KEYS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

const mark = document.createElement("div");
const tip = document.createElement("div");
mark.className = "chart-mark";
tip.className = "chart-tip small";
tip.setAttribute("role", "status");
mark.hidden = tip.hidden = true;

let shown = null;
let index = 0;

const readingsOf = (chart) => chart.dataset.readings.split("\n");

function show(chart, wanted) {
  const readings = readingsOf(chart);
  index = Math.min(Math.max(wanted, 0), readings.length - 1);
  shown = chart;
  tip.replaceChildren(placeName(chart), ` ${readings[index]}`);
  showTimes(tip);
  mark.hidden = tip.hidden = false;
  place(chart.getBoundingClientRect(), readings.length);
}

function placeName({ dataset: { labels, start, step } }) {
  const name = document.createElement(labels ? "strong" : "time");
  if (labels) {
    name.textContent = labels.split("\n")[index];
  } else {
    name.dateTime = new Date(Date.parse(start) + index * step * 1000).toISOString();
    name.dataset.format = "day";
  }
  return name;
}

function place(box, count) {
  const width = box.width / count;
  const left = box.left + scrollX + index * width;
  Object.assign(mark.style, { left: `${left}px`, top: `${box.top + scrollY}px`, width: `${width}px`, height: `${box.height}px` });
  const most = document.documentElement.clientWidth - tip.offsetWidth - 4;
  tip.style.left = `${Math.max(4, Math.min(left - tip.offsetWidth / 2, most))}px`;
  tip.style.top = `${box.top + scrollY - tip.offsetHeight - 4}px`;
}

function hide() {
  mark.hidden = tip.hidden = true;
  shown = null;
}

const chartOf = (event) => event.target.closest?.(CHART) ?? null;

function showAt(chart, clientX) {
  const { left, width } = chart.getBoundingClientRect();
  show(chart, Math.floor(((clientX - left) / width) * readingsOf(chart).length));
}

// Charts may come later, with a part of the page that is fetched again.
document.body.append(mark, tip);
for (const kind of ["pointermove", "pointerdown"]) {
  document.addEventListener(kind, (event) => {
    const chart = chartOf(event);
    if (chart) showAt(chart, event.clientX);
    else if (shown && document.activeElement !== shown) hide();
  });
}
document.addEventListener("focusin", (event) => {
  const chart = chartOf(event);
  if (!chart) hide();
  else if (chart !== shown) show(chart, Infinity);
});
document.addEventListener("focusout", hide);
document.addEventListener("keydown", (event) => {
  const chart = chartOf(event);
  if (event.key === "Escape") return hide();
  if (!chart || !(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  show(chart, index + KEYS[event.key]);
});
