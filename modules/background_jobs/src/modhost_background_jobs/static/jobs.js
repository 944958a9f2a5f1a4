// What the pages of background jobs do beyond their links and forms.

import "../modhost/charts.js";
import "./live.js";
import "./preview.js";
import "./selection.js";
import "./zone.js";

// The outcome of an action is shown once, not again after a reload.
if (new URLSearchParams(location.search).has("notice")) {
  const address = new URL(location.href);
  for (const name of ["notice", "done", "left", "schedule"]) address.searchParams.delete(name);
  history.replaceState(null, "", address);
}
