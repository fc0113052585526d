"""Runs of the test set, as the API and the admin tell of them."""

from typing import Any

from django.utils.translation import gettext

from inference.trials.catalogue import LABELS, TRIALS
from inference.trials.run import TestRun


def run_body(run: TestRun) -> dict[str, Any]:
    """Describe a run so far, in the current language."""
    return {
        "object": "model.test",
        "model": run.model.name,
        "state": run.state,
        "current": run.current,
        "error": run.error,
        "num_steps": len(TRIALS),
        "steps": [step_body(vars(step)) for step in run.steps],
        "capabilities": run.capabilities,
    }


def step_body(step: dict[str, Any]) -> dict[str, Any]:
    """Describe a step as it is kept."""
    label = LABELS.get(step["name"], step["name"])
    text = gettext(step["message"]) % step["params"] if step["message"] else ""
    return {
        "name": step["name"],
        "label": str(label),
        "passed": step["passed"],
        "text": text,
        "seconds": step["seconds"],
    }
