"""What becomes of a request when it has been answered."""

import gc
import json
import weakref
from collections.abc import Iterator

import pytest
from django.http import HttpRequest
from django.test import AsyncRequestFactory
from rest_framework.request import Request

from inference.chat.parser import OutputParser
from inference.views.chat import ChatCompletionsView
from inference.views.responses import ResponsesView


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def post(path: str, body: object) -> HttpRequest:
    return AsyncRequestFactory().post(path, json.dumps(body), content_type="application/json")


def num_requests() -> int:
    return sum(isinstance(each, Request) for each in gc.get_objects())


@pytest.mark.parametrize("view", [ChatCompletionsView, ResponsesView])
@pytest.mark.parametrize("body", [{"model": 3}, {"messages": []}, []])
async def test_a_body_goes_with_its_request(no_collector, view, body):
    before = num_requests()
    response = await view.as_view()(post("/v1/x", body))
    assert response.status_code == 400
    del response
    assert num_requests() == before


def test_a_parser_goes_when_nobody_has_it(no_collector):
    parser = OutputParser({"f": {}})
    parser.feed("Hello")
    gone = weakref.ref(parser)
    del parser
    assert gone() is None


async def test_a_method_that_there_is_not_is_refused():
    response = await ChatCompletionsView.as_view()(AsyncRequestFactory().get("/v1/chat/completions"))
    assert response.status_code == 405


async def test_options_names_the_methods():
    response = await ChatCompletionsView.as_view()(AsyncRequestFactory().options("/v1/chat/completions"))
    assert response["Allow"] == "POST, OPTIONS"
