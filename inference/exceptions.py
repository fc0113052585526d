"""The errors of the API and their one way to HTTP.

APIError
├── InvalidRequest            400
│   ├── ContextLengthExceeded 400
│   └── WrongKind             400
├── InvalidKey                401
├── NotAnOperator             401
├── MayNotManage              403
├── ModelNotFound             404
├── ResponseNotFound          404
├── ServerBusy                429
│   ├── RateLimitExceeded     429
│   └── QuotaExceeded         429
├── EngineFailed              500
└── EngineUnavailable         503
"""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, JsonResponse
from rest_framework.exceptions import APIException, ValidationError

from inference.engine.messages import Failure, FailureCode
from usage.record import note_error

EMPTY_PROMPT = {
    "messages": "The messages result in an empty prompt.",
    "prompt": "The prompt is empty, and this model has no token with which a text begins.",
}
ENDPOINTS = {"chat": "/v1/chat/completions", "embedding": "/v1/embeddings", "rerank": "/v1/rerank"}


class APIError(Exception):
    """An error in OpenAI's shape (https://platform.openai.com/docs/guides/error-codes). headers: of the answer."""

    status_code = 500
    type = "server_error"
    code: str | None = None

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.headers = dict(headers or {})
        self.message = message
        self.param = param
        self.code = code or self.code

    def body(self) -> dict[str, Any]:
        return error_body(self.message, self.type, self.param, self.code)


class InvalidRequest(APIError):
    """The request itself is at fault; sending it again gives the same answer."""

    status_code = 400
    type = "invalid_request_error"


class ContextLengthExceeded(InvalidRequest):
    """The prompt is longer than the model's context.

    The wording is OpenAI's own: clients recognise it, shorten the conversation and try again. `param` is the field
    that holds the prompt.
    """

    code = "context_length_exceeded"

    def __init__(self, context_length: int, prompt_tokens: int, param: str = "messages") -> None:
        self.context_length = context_length
        self.prompt_tokens = prompt_tokens
        limit = f"This model's maximum context length is {context_length} tokens"
        sentences = {
            "messages": f"{limit}. However, your messages resulted in {prompt_tokens} tokens. "
            "Please reduce the length of the messages.",
            "prompt": f"{limit}, however you requested {prompt_tokens} tokens ({prompt_tokens} in your prompt). "
            "Please reduce your prompt.",
        }
        super().__init__(sentences[param], param=param)


class ModelNotFound(InvalidRequest):
    """There is no enabled registration of that name."""

    status_code = 404
    code = "model_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"The model `{name}` does not exist or is disabled.", param="model")


class ResponseNotFound(InvalidRequest):
    """No response of that id is stored."""

    status_code = 404
    code = "response_not_found"


class WrongKind(InvalidRequest):
    """The model is not one that this endpoint works with."""

    code = "wrong_model_kind"

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(
            f"The model `{name}` is of the kind {kind}, which this endpoint does not work with; use it with "
            f"{ENDPOINTS[kind]}.",
            param="model",
        )


class InvalidKey(InvalidRequest):
    """No key, or none that is good."""

    status_code = 401
    code = "invalid_api_key"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"WWW-Authenticate": "Bearer"})


class NotAnOperator(APIError):
    """Somebody who may not manage models has tried to."""

    status_code = 401
    type = "authentication_error"
    code = "not_an_operator"

    def __init__(self) -> None:
        super().__init__(
            "This needs an API key that may manage models, or the token of an operator, which `python manage.py pool "
            "token` prints.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class MayNotManage(APIError):
    """A key that may use models, but not manage them, has tried to."""

    status_code = 403
    type = "permission_error"
    code = "not_an_operator"

    def __init__(self, prefix: str) -> None:
        super().__init__(f"The API key {prefix}… may not manage models; the admin can allow it to.")


class EngineFailed(APIError):
    """The engine could not compute the request."""


class EngineUnavailable(APIError):
    """The model is not there at the moment; trying again may help."""

    status_code = 503
    type = "service_unavailable_error"


class ServerBusy(APIError):
    """More is asked for than the server takes on; trying again later will help."""

    status_code = 429
    type = "rate_limit_error"


class RateLimitExceeded(ServerBusy):
    """A key has used up the "requests" or "tokens" of a minute, which OpenAI calls the type of the error."""

    code = "rate_limit_exceeded"

    def __init__(self, message: str, unit: str, headers: Mapping[str, str]) -> None:
        super().__init__(message, headers=headers)
        self.type = unit


class QuotaExceeded(ServerBusy):
    """A key has used up what it may use in a day."""

    type = code = "insufficient_quota"


def error_body(message: str, type: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:  # noqa: A002
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


def from_failure(failure: Failure, param: str = "messages") -> APIError:
    """Translate what the engine reports; `param` is the field that holds the prompt."""
    code = failure.code
    if code is FailureCode.CONTEXT_LENGTH_EXCEEDED:
        return ContextLengthExceeded(failure.context_length, failure.prompt_tokens, param)
    if code is FailureCode.INVALID_PARAMETER:
        return InvalidRequest(f"Invalid `{failure.param}`: {failure.message}.", param=failure.param)
    if code is FailureCode.CONSTRAINT_FAILED:
        return InvalidRequest(f"The answer cannot follow the required format: {failure.message}.", code=code.value)
    if code is FailureCode.EMPTY_PROMPT:
        return InvalidRequest(EMPTY_PROMPT[param], param=param)
    if code is FailureCode.DECODE_FAILED:
        return EngineFailed(f"The engine could not compute the request: {failure.message}.", code=code.value)
    kind = ServerBusy if code is FailureCode.QUEUE_FULL else EngineUnavailable
    return kind(f"{failure.message[:1].upper()}{failure.message[1:]}.", code=code.value)


def openai_exception_handler(error: Exception, context: dict[str, Any]) -> JsonResponse | None:
    """REST framework's EXCEPTION_HANDLER; None lets Django log the error and answer through handler500."""
    api_error = _as_api_error(error)
    if api_error is None:
        return None
    return error_response(api_error)


def error_response(error: APIError) -> JsonResponse:
    """Return the answer that tells the client, and note the error in the record of the request."""
    note(error)
    return JsonResponse(error.body(), status=error.status_code, headers=error.headers)


def note(error: APIError) -> None:
    """Note an error, of which the client is told, in the record of the request."""
    note_error(error.code or error.type, error.message)


def _as_api_error(error: Exception) -> APIError | None:
    if isinstance(error, APIError):
        return error
    if isinstance(error, ValidationError):
        return from_validation(error)
    if isinstance(error, RequestDataTooBig):
        return _with_status(InvalidRequest(str(error)), 413)
    if isinstance(error, Http404):
        return _with_status(InvalidRequest("Not found."), 404)
    if isinstance(error, APIException):
        return _with_status(InvalidRequest(str(error.detail)), error.status_code)
    return None


def from_validation(error: ValidationError) -> InvalidRequest:
    """Take the first of a serializer's errors, with the path of its field as `param`."""
    path, message = _first_error(error.detail)
    return InvalidRequest(f"Invalid `{path}`: {message}" if path else message, param=path or None)


def _first_error(detail: Any, path: str = "") -> tuple[str, str]:
    """Walk down to the first message; returns it with a path such as `messages[0].content`."""
    if isinstance(detail, dict):
        key, value = next(iter(detail.items()))
        if key == "non_field_errors":
            return _first_error(value, path)
        step = f"[{key}]" if isinstance(key, int) else f".{key}" if path else str(key)
        return _first_error(value, path + step)
    if isinstance(detail, list):
        index, value = next((index, value) for index, value in enumerate(detail) if value)
        is_item = isinstance(value, dict)
        return _first_error(value, f"{path}[{index}]" if is_item else path)
    return path, str(detail)


def _with_status(error: APIError, status_code: int) -> APIError:
    error.status_code = status_code
    return error
