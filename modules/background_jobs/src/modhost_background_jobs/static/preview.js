// When a recurring job would run, as its expression is typed.

const WAIT_MS = 250;
const form = document.querySelector("[data-preview-from]");

if (form) {
  const shown = form.querySelector("[data-preview]");
  let timer;
  let asked = 0;

  async function look() {
    const number = ++asked;
    const values = new URLSearchParams();
    for (const name of ["cron_expression", "time_zone"]) values.set(name, form.elements[name].value);
    try {
      const answer = await fetch(`${form.dataset.previewFrom}?${values}`);
      if (answer.ok && !answer.redirected && number === asked) shown.innerHTML = await answer.text();
    } catch {
      // The host is away; the form says so when it is sent.
    }
  }

  for (const name of ["cron_expression", "time_zone"]) {
    form.elements[name].addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(look, WAIT_MS);
    });
  }
  // What was refused is in the fields, and nothing of it was read yet; what is wrong with them stands there.
  const isWrong = (name) => form.elements[name].hasAttribute("aria-invalid");
  if (form.querySelector("[aria-invalid]") && !isWrong("cron_expression") && !isWrong("time_zone")) look();
}
