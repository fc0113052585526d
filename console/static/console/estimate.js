// Shows what a model would take of the memory, anew whenever a setting is changed.
const PAUSE = 400; // milliseconds after the last key
const box = document.querySelector("[data-estimate]");
const form = box.closest("form");
let timer = null;
let request = null;

function show(level, text) {
  box.dataset.level = level;
  box.textContent = text;
}

async function ask() {
  if (request) request.abort();
  request = new AbortController();
  const { signal } = request;
  const body = new FormData(form);
  if (box.dataset.model) body.set("model", box.dataset.model);
  show("waiting", box.dataset.waiting);
  try {
    const response = await fetch(box.dataset.estimate, { method: "POST", body, signal });
    if (response.status === 409) return; // asked anew, here or in another window
    if (!response.ok) throw new Error(response.status);
    const answer = await response.json();
    if (!signal.aborted) show(answer.level, answer.text);
  } catch (error) {
    if (!signal.aborted) show("error", box.dataset.failed);
  }
}

function changed(event) {
  if (event.target.name === "name") return;
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE);
}

form.addEventListener("input", changed);
form.addEventListener("change", changed);
window.addEventListener("pagehide", () => request && request.abort());
ask();
