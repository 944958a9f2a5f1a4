// Buttons that copy a text: `data-copy` has it, `data-copy-of` names the element that shows it, and
// `data-copy-from` the address that sends it. Browsers allow it on secure pages only; elsewhere the
// buttons stay hidden.

async function textOf({ copy, copyOf, copyFrom }) {
  if (copyOf) return document.getElementById(copyOf).textContent;
  if (!copyFrom) return copy;
  const answer = await fetch(copyFrom);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.text();
}

async function copy(button) {
  const label = button.textContent;
  let outcome = "Copied";
  try {
    await navigator.clipboard.writeText(await textOf(button.dataset));
  } catch {
    outcome = "Not copied";
  }
  button.textContent = outcome;
  setTimeout(() => { button.textContent = label; }, 1500);
}

const COPYING = "[data-copy], [data-copy-of], [data-copy-from]";

if (navigator.clipboard) {
  document.documentElement.dataset.canCopy = "";
  document.addEventListener("click", (event) => {
    const button = event.target.closest(COPYING);
    if (button) copy(button);
  });
}
