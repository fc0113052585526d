// Keeps the dashboard up to date. One stream brings all texts; what comes from the database is fetched when the stream
// says that it has changed.
const dashboard = document.getElementById("dashboard");
const LEAST_PAUSE = 5000; // milliseconds between two fetches

let version = dashboard.dataset.version;
let fetchedAt = 0;
let timer = null;

function fill(element, texts) {
  for (const part of element.querySelectorAll("[data-part]")) {
    const text = texts[part.dataset.part];
    if (part.textContent !== text) part.textContent = text;
  }
}

function showTiles(tiles) {
  for (const [name, text] of Object.entries(tiles)) {
    dashboard.querySelector(`[data-tile="${name}"]`).textContent = text;
  }
}

function showMemory(bars) {
  const box = document.getElementById("dash-memory");
  while (box.children.length > bars.length) box.lastElementChild.remove();
  while (box.children.length < bars.length) box.append(box.firstElementChild.cloneNode(true));
  bars.forEach((bar, place) => {
    const element = box.children[place];
    const progress = element.querySelector("progress");
    fill(element, bar);
    progress.hidden = bar.share === null;
    progress.value = 100 * (bar.share ?? 0);
  });
}

function showModels(models) {
  const table = document.getElementById("dash-models");
  const body = table.tBodies[0];
  const row = document.getElementById("dash-model-row").content.firstElementChild;
  while (body.rows.length > models.length) body.lastElementChild.remove();
  while (body.rows.length < models.length) body.append(row.cloneNode(true));
  models.forEach((model, place) => {
    fill(body.rows[place], model);
    body.rows[place].querySelector("a").setAttribute("href", model.url);
  });
  table.hidden = models.length === 0;
  document.getElementById("dash-no-models").hidden = models.length > 0;
}

async function fetchReport() {
  timer = null;
  const report = document.getElementById("dash-report");
  // Nobody loses the table that is being read, or the list that is being chosen from.
  if (report.querySelector("details[open]") || report.contains(document.activeElement)) {
    timer = setTimeout(fetchReport, LEAST_PAUSE);
    return;
  }
  fetchedAt = Date.now();
  const response = await fetch(dashboard.dataset.report + location.search);
  if (response.ok && !response.redirected) report.innerHTML = await response.text();
}

function noteVersion(next) {
  if (next === version) return;
  version = next;
  timer ??= setTimeout(fetchReport, Math.max(0, fetchedAt + LEAST_PAUSE - Date.now()));
}

function listen(url) {
  const connection = document.getElementById("dash-connection");
  const source = new EventSource(url);
  source.onopen = () => { connection.textContent = dashboard.dataset.live; };
  source.onerror = () => { connection.textContent = dashboard.dataset.lost; };
  source.onmessage = (event) => {
    const body = JSON.parse(event.data);
    showTiles(body.tiles);
    showMemory(body.memory);
    showModels(body.models);
    noteVersion(body.version);
  };
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

if (dashboard.dataset.events) listen(dashboard.dataset.events);
