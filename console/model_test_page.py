"""The page of a model's tests: what it has shown, the run that goes on, and those before."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin import site
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from console.permissions import USE_MODELS, VIEW_MODELS, guarded
from inference.badges import render_badges
from inference.bodies.trials import run_body, step_body
from inference.pool import pool
from inference.streaming import event_stream, sse
from inference.trials.run import RUNNING, WAITING, TestRun, settings_hash
from inference.trials.runner import follow, runner
from registry.model_kinds import Kind
from registry.model_tests import ModelTest, TestState, newest_test
from registry.models import RegisteredModel
from registry.queries import query, without_connection
from registry.served_model import ServedModel

SHOWN_RUNS = 10


@guarded(VIEW_MODELS)
@require_GET
def model_test(request: HttpRequest, key: int) -> HttpResponse:
    """Show the page."""
    model = get_object_or_404(RegisteredModel.objects.select_related("defaults", "observation"), pk=key)
    run, newest = runner.last(key), newest_test(key)
    context = {
        **site.each_context(request),
        "title": _("Test of %(name)s") % {"name": model.name},
        "model": model,
        "is_going_on": run is not None and not run.has_ended,
        "newest": newest,
        "badges": render_badges(newest.capabilities) if newest else "",
        "has_changed": newest is not None and newest.settings_hash != settings_hash(ServedModel(model)),
        "runs": [_shown(test) for test in model.tests.all()[:SHOWN_RUNS]],
        "may_start": request.user.has_perm(USE_MODELS) and model.enabled and model.kind == Kind.CHAT,
        "states": _state_labels(),
    }
    return render(request, "console/model_test.html", context)


@guarded(USE_MODELS)
@require_POST
def start_test(request: HttpRequest, key: int) -> HttpResponse:
    """Begin a run in the background."""
    if not pool.is_running:
        messages.error(request, _("Models can only be tested in the running server."))
    elif not runner.start_all(RegisteredModel.objects.filter(pk=key)):
        messages.error(request, _("Only enabled chat models can be tested."))
    return redirect("console:model_test", key)


@guarded(USE_MODELS)
@require_POST
def cancel_test(request: HttpRequest, key: int) -> HttpResponse:
    """End the run that goes on."""
    if pool.is_running and not pool.run(runner.cancel(key)).result():
        messages.info(request, _("No test was running."))
    return redirect("console:model_test", key)


@guarded(VIEW_MODELS)
@require_GET
def test_events(request: HttpRequest, key: int) -> HttpResponse | StreamingHttpResponse:
    """Send the run that goes on, or was the last, whenever something happens to it; 204 if there is none."""
    run = runner.last(key)
    if run is None:
        return HttpResponse(status=204)  # an EventSource does not ask again
    return event_stream(without_connection(_events(run, partial(query, _body, get_language()))))


async def _events(run: TestRun, body: Any) -> Any:
    async for news in follow(run):
        yield sse(await body(news))


def _body(language: str, run: TestRun) -> dict[str, Any]:
    with translation.override(language):
        return {**run_body(run), "badges": render_badges(run.capabilities) if run.has_ended else ""}


def _shown(test: ModelTest) -> dict[str, Any]:
    return {"test": test, "steps": [step_body(step) for step in test.steps]}


def _state_labels() -> dict[str, str]:
    running = {WAITING: _("waits for its turn"), RUNNING: _("running")}
    return running | {value: str(label) for value, label in TestState.choices}
