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
  // What was refused stays as it was typed.
  if (!zone || times.some((input) => input.value && !input.dataset.at)) continue;
  form.querySelector("[data-zone]").value = zone;
  for (const name of form.querySelectorAll("[data-zone-name]")) name.textContent = zone;
  for (const input of times) if (input.dataset.at) input.value = local(input.dataset.at);
}
