// Keeps the list of downloads up to date: the server sends what is shown of each.
const part = (row, name) => row.querySelector(`[data-part="${name}"]`);

function show(key, status) {
  const row = document.querySelector(`[data-download="${key}"]`);
  if (!row) return;
  part(row, "state").textContent = status.state_text;
  part(row, "text").textContent = status.text;
  part(row, "note").textContent = status.note;
  const bar = part(row, "bar");
  bar.max = status.total || Math.max(status.done, 1);
  bar.value = status.done;
  for (const button of document.querySelectorAll(`[data-buttons="${key}"] [data-action]`)) {
    const name = button.dataset.action;
    button.hidden = name === "register" ? status.state !== "done" : !status.actions.includes(name);
  }
}

const source = new EventSource("live/");
source.onmessage = (event) => {
  for (const [key, status] of Object.entries(JSON.parse(event.data))) show(key, status);
};
window.addEventListener("pagehide", () => source.close());
