"""Every URL of the site with every kind of API key: what it answers, and that no URL is left out."""

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.access import keys
from tests.access.keys import Keys

KINDS = ("none", "bad", "expired", "revoked", "other", "ok", "admin")
NO_KEY = (401, 401, 401, 401)

HELLO = {"messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 1}
RESPONSE = {"input": "Hello!", "max_output_tokens": 16}
WORK = {
    "chat/completions": HELLO,
    "chat/completions/input_tokens": HELLO,
    "completions": {"prompt": "a", "max_tokens": 1},
    "tokenize": {"content": "a"},
    "detokenize": {"tokens": [1]},
    "responses": RESPONSE,
    "responses/input_tokens": RESPONSE,
}
OTHER_KIND = {"embeddings": {"input": "a"}, "rerank": {"query": "a", "documents": ["b"]}}

# (method, route) -> path, JSON body, the status for each of KINDS where keys are required. `{id}`: of a response that
# the key `ok` has made.
API = {
    **{("POST", f"v1/{path}"): (f"/v1/{path}", body, (*NO_KEY, 404, 200, 200)) for path, body in WORK.items()},
    **{("POST", f"v1/{path}"): (f"/v1/{path}", body, (*NO_KEY, 404, 400, 400)) for path, body in OTHER_KIND.items()},
    ("GET", "v1/models"): ("/v1/models", None, (*NO_KEY, 200, 200, 200)),
    ("GET", "v1/models/<path:name>"): ("/v1/models/demo", None, (*NO_KEY, 404, 200, 200)),
    ("POST", "v1/models/<path:name>/load"): ("/v1/models/demo/load", None, (*NO_KEY, 403, 403, 200)),
    ("GET", "v1/models/<path:name>/load"): ("/v1/models/demo/load", None, (*NO_KEY, 404, 404, 404)),
    ("POST", "v1/models/<path:name>/unload"): ("/v1/models/demo/unload", None, (*NO_KEY, 403, 403, 200)),
    ("GET", "v1/models/<path:name>/unload"): ("/v1/models/demo/unload", None, (*NO_KEY, 404, 404, 404)),
    ("POST", "v1/models/<path:name>/test"): ("/v1/models/demo/test", None, (*NO_KEY, 403, 403, 200)),
    ("GET", "v1/models/<path:name>/test"): ("/v1/models/demo/test", None, (*NO_KEY, 404, 404, 404)),
    ("GET", "v1/health"): ("/v1/health", None, (200,) * 7),
    ("GET", "v1/pool"): ("/v1/pool", None, (*NO_KEY, 403, 403, 200)),
    ("GET", "v1/pool/events"): ("/v1/pool/events", None, (*NO_KEY, 403, 403, 200)),
    ("GET", "v1/responses/<str:response_id>"): ("/v1/responses/{id}", None, (*NO_KEY, 404, 200, 404)),
    ("DELETE", "v1/responses/<str:response_id>"): ("/v1/responses/resp_0", None, (*NO_KEY, 404, 404, 404)),
    ("GET", "v1/responses/<str:response_id>/input_items"): (
        "/v1/responses/{id}/input_items",
        None,
        (*NO_KEY, 404, 200, 404),
    ),
    ("GET", r"v1/^[\s\S]*$"): ("/v1/nowhere", None, (*NO_KEY, 404, 404, 404)),
}
OTHERS = {
    ("GET", "metrics"): ("/metrics", None, (*NO_KEY, 403, 403, 200)),
    ("GET", "healthz"): ("/healthz", None, (200,) * 7),
    ("GET", "readyz"): ("/readyz", None, (200,) * 7),
    ("POST", "i18n/setlang/"): ("/i18n/setlang/", None, (403,) * 7),  # a form's token is missing
    ("GET", ""): ("/", None, (302,) * 7),
    ("GET", "docs"): ("/docs", None, (200,) * 7),
    ("GET", "redoc"): ("/redoc", None, (200,) * 7),
    ("GET", "openapi.json"): ("/openapi.json", None, (200,) * 7),
    (
        "POST",
        "^(?:.*/)?(?:chat/completions|completions|embeddings|models|responses)$",
    ): ("/chat/completions", HELLO, (404,) * 7),
}
MATRIX = {**API, **OTHERS}
# An API key is no login: of the admin it opens nothing, whatever page is added there.
ADMIN = "admin/"
ADMIN_OPEN = {
    "admin/login/": (200, None),
    "admin/logout/": (302, "/admin/"),
    "admin/console/playground/chat": (
        405,
        None,
    ),  # for a script, which is answered in JSON: tests/console/test_playground.py
}


def routes(resolver: URLResolver, start: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        route = start + str(each.pattern)
        if isinstance(each, URLPattern):
            yield route
        else:
            yield from routes(each, route)


ROUTES = list(routes(get_resolver()))


@pytest.fixture(scope="module")
def strict(tmp_path_factory) -> Iterator[Keys]:
    made = keys.start(tmp_path_factory.mktemp("strict"), auth={"required": True})
    yield made
    made.stop()


@pytest.fixture(scope="module")
def lenient(tmp_path_factory) -> Iterator[Keys]:
    made = keys.start(tmp_path_factory.mktemp("lenient"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def response_id(strict) -> str:
    body = {"model": "demo", **RESPONSE}
    return strict.http.post("/v1/responses", json=body, headers=strict.headers("ok")).json()["id"]


def statuses(made: Keys, method: str, path: str, body: dict | None) -> tuple[int, ...]:
    """Return the status for each of KINDS; the answer itself, which may never end, is not read."""
    content = None if body is None else {"model": "demo", **body}
    found = []
    for kind in KINDS:
        with made.http.stream(method, path, json=content, headers=made.headers(kind)) as response:
            found.append(response.status_code)
    return tuple(found)


def test_no_url_is_left_out():
    known = {route for _, route in MATRIX}
    missing = [route for route in ROUTES if route not in known and not route.startswith(ADMIN)]
    assert not missing, f"add to the matrix what these answer to each kind of key: {missing}"
    assert known <= set(ROUTES)


@pytest.mark.parametrize(("method", "route"), MATRIX)
def test_where_keys_are_required(strict, response_id, method, route):
    path, body, expected = MATRIX[method, route]
    assert statuses(strict, method, path.replace("{id}", response_id), body) == expected


@pytest.mark.parametrize("route", [route for route in ROUTES if route.startswith(ADMIN)])
def test_no_key_opens_the_admin(strict, route):
    path = re.sub(r"\(.*$", "nowhere", re.sub(r"<[^>]+>", "1", route))
    expected, target = ADMIN_OPEN.get(route, (302, "/admin/login/"))
    for kind in KINDS:
        answer = strict.http.get(f"/{path}", headers=strict.headers(kind))
        assert answer.status_code == expected, (path, kind)
        assert (answer.headers.get("location") or "").partition("?")[0] == (target or ""), (path, kind)


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/v1/chat/completions", HELLO, (200, 200, 401, 401, 404, 200, 200)),
        ("POST", "/v1/responses", RESPONSE, (200, 200, 401, 401, 404, 200, 200)),
        ("POST", "/v1/tokenize", {"content": "a"}, (200, 200, 401, 401, 404, 200, 200)),
        ("GET", "/v1/models", None, (200, 200, 401, 401, 200, 200, 200)),
        ("GET", "/v1/models/demo", None, (200, 200, 401, 401, 404, 200, 200)),
        ("GET", "/v1/pool", None, (401, 401, 401, 401, 403, 403, 200)),
        ("POST", "/v1/models/demo/load", None, (401, 401, 401, 401, 403, 403, 200)),
        ("GET", "/v1/nowhere", None, (404, 404, 401, 401, 404, 404, 404)),
        ("GET", "/v1/health", None, (200,) * 7),
    ],
)
def test_where_keys_are_not_required(lenient, method, path, body, expected):
    assert statuses(lenient, method, path, body) == expected
