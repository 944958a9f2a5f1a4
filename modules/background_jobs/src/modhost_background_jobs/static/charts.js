// The figures of one bar of a chart: where the pointer is, or where the arrow keys have gone.

import { showTimes } from "../modhost/shell.js";

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

function show(chart, wanted) {
  const readings = chart.dataset.readings.split("|");
  index = Math.min(Math.max(wanted, 0), readings.length - 1);
  shown = chart;
  const { start, step } = chart.dataset;
  const time = document.createElement("time");
  time.dateTime = new Date(Date.parse(start) + index * step * 1000).toISOString();
  time.dataset.format = "day";
  tip.replaceChildren(time, ` ${readings[index]}`);
  showTimes(tip);
  mark.hidden = tip.hidden = false;
  place(chart.getBoundingClientRect(), readings.length);
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

if (document.querySelector(CHART)) {
  document.body.append(mark, tip);
  document.addEventListener("pointermove", (event) => {
    const chart = chartOf(event);
    if (!chart) return shown && document.activeElement !== shown && hide();
    const { left, width } = chart.getBoundingClientRect();
    show(chart, Math.floor(((event.clientX - left) / width) * chart.dataset.readings.split("|").length));
  });
  document.addEventListener("focusin", (event) => {
    const chart = chartOf(event);
    if (chart) show(chart, Infinity);
    else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => {
    const chart = chartOf(event);
    if (event.key === "Escape") return hide();
    if (!chart || !(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    show(chart, index + KEYS[event.key]);
  });
}
