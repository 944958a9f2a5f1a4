// Forms with times: by the clock of the browser's zone, in place of UTC.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

function local(moment) {
  const time = new Date(moment);
  return new Date(time - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

for (const form of document.querySelectorAll("form[data-zoned]")) {
  const times = [...form.querySelectorAll('input[type="datetime-local"]')];
  // Which day it is says the moment at which somebody asks.
  for (const day of form.querySelectorAll("[data-today]"))
    form.addEventListener("submit", () => (day.value = local(Date.now()).slice(0, 10)));
  const asked = form.querySelector("[data-zone]");
  // What was refused, typed before this ran, or brought back by the browser has its zone.
  const isTyped = (input) => input.value !== input.defaultValue || (input.value && !input.dataset.at);
  if (zone && !times.some(isTyped)) {
    asked.value = zone;
    for (const input of times) if (input.dataset.at) input.value = local(input.dataset.at);
  }
  for (const name of form.querySelectorAll("[data-zone-name]")) name.textContent = asked.value;
}
