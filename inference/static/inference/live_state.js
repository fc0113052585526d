// Keeps the state column of the list of models up to date. Whenever something changes, the server sends the states of
// those models that are loaded or have failed, and what all others say.
const source = new EventSource("live/");

source.onmessage = (event) => {
  const { states, others } = JSON.parse(event.data);
  for (const cell of document.querySelectorAll("[data-model]")) {
    cell.textContent = states[cell.dataset.model] ?? others;
  }
};
window.addEventListener("pagehide", () => source.close());
