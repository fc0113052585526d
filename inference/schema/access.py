"""What all endpoints have in common in /openapi.json: the API key, and the answers to bad keys and reached limits."""

from typing import Any

from django.conf import settings

from inference.exceptions import error_body

KEY = "apiKey"
SCHEME = {"type": "http", "scheme": "bearer", "description": "An API key: `sk-…`."}
OPEN_PATHS = frozenset({"/v1/health"})
MANAGING = (
    *("/v1/pool", "/v1/pool/events"),
    *("/v1/models/{name}/load", "/v1/models/{name}/unload", "/v1/models/{name}/test"),
)
RETRY_AFTER = {"schema": {"type": "integer"}, "description": "Seconds; only where trying again soon will help."}
ERROR = {"$ref": "#/components/schemas/Error"}

BAD_KEY = (
    "No API key, or none that is good",
    "The API key sk-AbCdEfGh… has been revoked.",
    "invalid_request_error",
    "invalid_api_key",
)
MAY_NOT_MANAGE = (
    "A key that may not manage models",
    "The API key sk-AbCdEfGh… may not manage models; the admin can allow it to.",
    "permission_error",
    "not_an_operator",
)
TOO_LARGE = (
    "A body that is too large",
    "The request body is larger than 10485760 bytes (limits.body_size).",
    "invalid_request_error",
    None,
)
TOO_MUCH = (
    "More than the key or the server takes",
    "Rate limit reached: the API key sk-AbCdEfGh… may use 60 requests a minute and has used 60. Try again in 7 s.",
    "requests",
    "rate_limit_exceeded",
)


def describe_access(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add to the schema what `llmsite.api_access` may answer instead of a view (a hook of drf-spectacular)."""
    result["components"]["securitySchemes"] = {KEY: SCHEME}
    result["security"] = [{KEY: []}] if settings.AUTH_REQUIRED else [{}, {KEY: []}]
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if path in OPEN_PATHS:
                operation["security"] = []
                continue
            _add(operation, "401", *BAD_KEY)
            if path in MANAGING:
                _add(operation, "403", *MAY_NOT_MANAGE)
            elif method == "post":
                _add(operation, "413", *TOO_LARGE)
                _add(operation, "429", *TOO_MUCH)
    return result


def _add(operation: dict[str, Any], status: str, name: str, message: str, kind: str, code: str | None) -> None:
    response = operation["responses"].setdefault(status, {"description": name, "content": {}})
    content = response["content"].setdefault("application/json", {"schema": ERROR})
    content.setdefault("examples", {})[code or name] = {"summary": name, "value": error_body(message, kind, code=code)}
    if status == "429":
        response["headers"] = {"Retry-After": RETRY_AFTER}
