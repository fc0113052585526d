// Keeps the state column of the list of models up to date. Whenever something changes, the server sends the states of
// those models that are loaded or have failed, and what all others say.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const source = new EventSource("live/");
  source.onmessage = (event) => {
    const { states, others } = JSON.parse(event.data);
    for (const row of document.querySelectorAll("#result_list tr")) {
      const link = row.querySelector('a[href*="/change/"]');
      const cell = row.querySelector(".field-state");
      if (link && cell) cell.textContent = states[link.pathname.split("/").at(-3)] ?? others;
    }
  };
  window.addEventListener("pagehide", () => source.close());
});
