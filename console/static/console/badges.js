// Keeps the numbers in the sidebar up to date. A hidden tab holds no connection: browsers allow six to a server.
// No module, since unfold includes the scripts of all pages as plain ones.
"use strict";

(() => {
  const address = new URL("../../admin/console/badges/", document.currentScript.src);
  let badges = [];
  let source = null;

  function show(counts) {
    for (const badge of badges) {
      const count = counts[badge.dataset.badge];
      badge.textContent = count;
      badge.hidden = !count;
    }
  }

  function stop() {
    source?.close();
    source = null;
  }

  function follow() {
    stop();
    if (document.hidden) return;
    source = new EventSource(address);
    source.onmessage = (event) => show(JSON.parse(event.data));
  }

  document.addEventListener("DOMContentLoaded", () => {
    badges = [...document.querySelectorAll("[data-badge]")];
    if (!badges.length) return;
    document.addEventListener("visibilitychange", follow);
    window.addEventListener("pagehide", stop);
    follow();
  });
})();
