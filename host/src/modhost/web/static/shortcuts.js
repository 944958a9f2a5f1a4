// Keys for those who work without a mouse. None is needed, and all can be turned off.

const CHOICE = "modhost-shortcuts";
const PATIENCE_MS = 1500;
const TEXTS = 'input:not([type="checkbox"], [type="radio"], [type="button"], [type="submit"]), select, textarea, [contenteditable]';

const dialog = document.querySelector("[data-shortcuts]");
const button = document.querySelector("[data-show-shortcuts]");
let goingUntil = 0;

function areOn() {
  try {
    return localStorage.getItem(CHOICE) !== "off";
  } catch {
    return true; // The browser keeps nothing.
  }
}

const isShown = (element) => element.checkVisibility();

const ROWS = "main tbody tr, main .job-lines > li";

// The links of rows, each of which is the first one of its row that is shown.
function rows() {
  return [...document.querySelectorAll(ROWS)]
    .map((row) => [...row.querySelectorAll("a[href]")].find(isShown))
    .filter(Boolean);
}

function move(step) {
  const links = rows();
  const row = document.activeElement.closest(ROWS);
  const here = links.findIndex((link) => link.closest(ROWS) === row);
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : here + step;
  links[next]?.focus();
}

function search() {
  const field = [...document.querySelectorAll('main [role="search"] input[type="search"]')].find(isShown);
  field?.focus();
  field?.select();
  return field !== undefined;
}

function press(key) {
  if (Date.now() < goingUntil) {
    goingUntil = 0;
    const link = /^[a-z]$/.test(key) && document.querySelector(`a[data-shortcut="${key}"]`);
    if (link) link.click();
    return Boolean(link);
  }
  if (key === "/") return search();
  if (key === "?") show();
  else if (key === "g") goingUntil = Date.now() + PATIENCE_MS;
  else if (key === "j") move(1);
  else if (key === "k") move(-1);
  else return false;
  return true;
}

function show() {
  const list = dialog.querySelector("[data-pages]");
  const links = new Map();
  for (const link of document.querySelectorAll("a[data-shortcut]")) {
    if (!links.has(link.dataset.shortcut)) links.set(link.dataset.shortcut, link.dataset.name ?? link.textContent.trim());
  }
  list.replaceChildren(
    ...[...links].flatMap(([key, name]) => {
      const keys = document.createElement("dt");
      for (const each of ["g", key]) {
        const kbd = document.createElement("kbd");
        kbd.textContent = each;
        keys.append(kbd, " ");
      }
      const page = document.createElement("dd");
      page.textContent = name;
      return [keys, page];
    }),
  );
  dialog.showModal();
}

if (dialog && button) {
  button.hidden = false;
  button.addEventListener("click", show);
  const choice = dialog.querySelector("[data-shortcuts-on]");
  choice.checked = areOn();
  choice.addEventListener("change", () => {
    try {
      localStorage.setItem(CHOICE, choice.checked ? "on" : "off");
    } catch { /* For this page only. */ }
  });
  document.addEventListener("keydown", (event) => {
    const isOther = event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented;
    if (isOther || dialog.open || !choice.checked || event.target.closest(TEXTS)) return;
    if (press(event.key)) event.preventDefault();
  });
}
