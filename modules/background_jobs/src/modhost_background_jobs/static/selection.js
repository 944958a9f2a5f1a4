// Selecting jobs of the list: the number is shown at all times.

const form = document.querySelector("#many");
const page = document.querySelector("[data-all-rows]");
const search = form?.querySelector('input[name="all"]');
const hint = document.querySelector("[data-hint]");

const rows = () => [...form.querySelectorAll('tbody input[name="id"]')];

function tell() {
  const ticked = rows().filter((box) => box.checked).length;
  const isAll = search.checked;
  page.checked = ticked > 0 && ticked === rows().length;
  page.indeterminate = ticked > 0 && !page.checked;
  for (const box of [page, ...rows()]) box.disabled = isAll;
  if (isAll) hint.textContent = "All matching jobs, on every page.";
  else if (ticked) hint.textContent = `${ticked} selected`;
  else hint.textContent = hint.dataset.hint;
}

if (page) {
  page.hidden = false;
  page.addEventListener("change", () => {
    for (const box of rows()) box.checked = page.checked;
  });
  form.addEventListener("change", tell);
  // A browser brings back what was ticked after the page has loaded.
  window.addEventListener("pageshow", tell);
  tell();
}
