// Turns the children of an element into those of some HTML and keeps every node that stays: the
// focus, selected text, unfolded details and running transitions outlive a change beside them.

export function morph(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  matchChildren(element, template.content);
}

function matchChildren(parent, wanted) {
  const keyed = new Map([...parent.children].filter(keyOf).map((child) => [keyOf(child), child]));
  let place = parent.firstChild;
  for (const fresh of [...wanted.childNodes]) {
    if (fresh.nodeType === Node.ELEMENT_NODE) place = withoutBlanks(place);
    const old = keyOf(fresh) ? keyed.get(keyOf(fresh)) : unkeyed(place, fresh);
    if (!old) {
      parent.insertBefore(fresh, place);
      continue;
    }
    if (old !== place) parent.insertBefore(old, place);
    match(old, fresh);
    place = old.nextSibling;
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

// Blanks that only one side has would stand between elements that are the same.
function withoutBlanks(place) {
  while (place?.nodeType === Node.TEXT_NODE && !place.data.trim()) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
  return place;
}

function keyOf(node) {
  return node.id || node.dataset?.key || "";
}

function unkeyed(place, fresh) {
  return place && place.nodeName === fresh.nodeName && !keyOf(place) ? place : null;
}

function match(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  // The page shows this moment already, in its own words.
  if (old.nodeName === "TIME" && old.dateTime === fresh.dateTime) return;
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !belongsToVisitor(old, name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  matchChildren(old, fresh);
}

// Details that the visitor unfolded stay open.
function belongsToVisitor(element, name) {
  return element.nodeName === "DETAILS" && name === "open";
}
