// Keeps the state column of the list of models up to date: the server sends all states whenever one changes.
const source = new EventSource("live/");

source.onmessage = (event) => {
  for (const [key, state] of Object.entries(JSON.parse(event.data))) {
    const cell = document.querySelector(`[data-model="${key}"]`);
    if (cell) cell.textContent = state;
  }
};
window.addEventListener("pagehide", () => source.close());
