// Shows the run of a model's tests while it goes on: the server sends all of it whenever something happens.

const states = JSON.parse(document.getElementById("test-states").textContent);
const live = document.getElementById("live");
const byId = (id) => document.getElementById(id);
const hasEnded = (run) => !["waiting", "running"].includes(run.state);

function show(run) {
  byId("run-state").textContent = [states[run.state] ?? run.state, run.error].filter(Boolean).join(": ");
  const progress = byId("run-progress");
  progress.max = run.num_steps;
  progress.value = run.steps.length;
  progress.hidden = hasEnded(run);
  byId("run-steps").replaceChildren(...run.steps.map(line));
  if (run.badges) byId("run-badges").innerHTML = run.badges;
  for (const [id, isHidden] of [["start", !hasEnded(run)], ["cancel", hasEnded(run)]]) {
    if (byId(id)) byId(id).hidden = isHidden;
  }
}

function line(step) {
  const item = document.createElement("li");
  const mark = document.createElement("strong");
  mark.className = step.passed ? "passed" : "failed";
  mark.textContent = `${step.passed ? "✓" : "✗"} ${step.label}: `;
  item.append(mark, step.text);
  return item;
}

const source = new EventSource(live.dataset.events);
source.onmessage = (event) => {
  const run = JSON.parse(event.data);
  show(run);
  if (hasEnded(run)) source.close();
};
window.addEventListener("pagehide", () => source.close());
