// Keeps the state column of the list of models up to date: the server sends all states whenever one changes.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const source = new EventSource("live/");
  source.onmessage = (event) => {
    for (const [key, state] of Object.entries(JSON.parse(event.data))) {
      const box = document.querySelector(`input.action-select[value="${key}"]`);
      const cell = box && box.closest("tr").querySelector("td.field-state");
      if (cell) cell.textContent = state;
    }
  };
  window.addEventListener("pagehide", () => source.close());
});
