// Times: told from now, and in the visitor's own zone on hover.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60]];

function ago(seconds) {
  const size = Math.abs(seconds);
  if (size < 5) return "just now";
  const [unit, length] = UNITS.find(([, each]) => size >= each) ?? ["s", 1];
  const span = `${Math.floor(size / length)} ${unit}`;
  return seconds > 0 ? `${span} ago` : `in ${span}`;
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

export function tellTimes(root = document) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.dateTime);
    element.title = exact.format(moment);
    if (!element.hasAttribute("data-exact")) {
      const text = ago((Date.now() - moment.getTime()) / 1000);
      if (element.textContent !== text) element.textContent = text;
    }
  }
}

tellTimes();
setInterval(() => { if (!document.hidden) tellTimes(); }, 10_000);
