// Keeps what models do up to date, in their list and on their pages, and which of their buttons is of use. Whenever
// something changes, the server sends the states of those models that are loaded or have failed, and what all others say.
const source = new EventSource(document.querySelector("script[data-live]").dataset.live);

source.onmessage = (event) => {
  const { states, loaded, others } = JSON.parse(event.data);
  for (const text of document.querySelectorAll("span[data-model]")) {
    text.textContent = states[text.dataset.model] ?? others;
  }
  for (const button of document.querySelectorAll("[data-for-loaded]")) {
    const isLoaded = loaded.includes(Number(button.dataset.of));
    button.hidden = isLoaded !== (button.dataset.forLoaded === "yes");
  }
};
window.addEventListener("pagehide", () => source.close());
