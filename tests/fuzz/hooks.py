"""What Schemathesis loads before a run. Makes requests cheap, and neither bad ones good nor good ones bad."""

import os
from typing import Any

import schemathesis
from schemathesis import Case, HookContext
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import RejectedPositiveData

from tests.fuzz.beyond_schema import is_beyond_schema
from tests.fuzz.rig import MODELS

MAX_TOKENS = 4
BOUNDED = {"max_tokens": MAX_TOKENS, "max_completion_tokens": MAX_TOKENS, "max_output_tokens": MAX_TOKENS, "n": 2}
UNBOUNDED = {"/v1/chat/completions": "max_tokens", "/v1/responses": "max_output_tokens"}
RESPONSE_ID = os.environ.get("FUZZ_RESPONSE_ID", "")
ID_START = "resp_"


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Ask for what there is, for few tokens and for no stream."""
    if isinstance(case.body, dict):
        case.body = {**case.body, **_cheaper(case.body, case.operation.path)}
    name = case.path_parameters.get("name")
    if isinstance(name, str) and name.isprintable():
        case.path_parameters = {**case.path_parameters, "name": "demo"}
    if case.method == "GET" and _is_made_up(case.path_parameters.get("response_id")):
        case.path_parameters = {**case.path_parameters, "response_id": RESPONSE_ID}


def _is_made_up(response_id: Any) -> bool:
    """Whether it is no id of a response that was made just before."""
    return isinstance(response_id, str) and not response_id.startswith(ID_START)


def _cheaper(body: dict[str, Any], path: str) -> dict[str, Any]:
    changed = {name: limit for name, limit in BOUNDED.items() if type(body.get(name)) is int and body[name] > limit}
    if path in UNBOUNDED and body.get(UNBOUNDED[path]) is None:
        changed[UNBOUNDED[path]] = MAX_TOKENS
    if body.get("model") and isinstance(body["model"], str):
        changed["model"] = MODELS.get(path, "demo")
    if body.get("stream") is True:
        changed["stream"] = False
    return changed


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """Let go what the check of good requests cannot know: rules that no JSON schema can say."""
    return not (isinstance(failure, RejectedPositiveData) and is_beyond_schema(response.json()["error"]["message"]))
