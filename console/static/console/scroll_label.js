// What screen readers call an area that scrolls, in the page's language; unfold's scroll bars know English only.
// No module, since it has to be first: simplebar begins when the page is parsed, too.
"use strict";

(() => {
  const { label } = document.currentScript.dataset;
  document.addEventListener("DOMContentLoaded", () => { SimpleBar.defaultOptions.ariaLabel = label; });
})();
