"""Presets through the API of a running server with the demo model."""

from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.live_server import LiveServer

GREETING = [{"role": "user", "content": "Hello!"}]
TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in ("now", "rm")]
PRESETS = {
    "short": {"max_tokens": 3},
    "cold": {"temperature": 2.0, "forced": {"temperature": 0}},
    "loose": {"stripped": ["seed", "max_tokens"], "max_tokens": 4},
    "tooled": {"allowed_tools": ["now"]},
    "pirate": {"system_prompt": "You are a pirate. " * 20},
    "json": {"forced": {"response_format": {"type": "json_object", "schema": {"type": "object", "maxProperties": 0}}}},
    "off": {"enabled": False},
}
OPENING = "{% if enable_thinking is not defined or enable_thinking %}<think>\n{% endif %}"
SETUP = f"""
from registry.models import Preset, RegisteredModel
demo = RegisteredModel.objects.get(name="demo")
for name, values in {PRESETS!r}.items():
    preset = Preset(name=name, model=demo, **values)
    preset.full_clean()
    preset.save()
Preset.objects.create(name="orphan", model=RegisteredModel.objects.create(name="shut", path=demo.path, enabled=False))
thinker = RegisteredModel.objects.get(name="demo")
thinker.pk, thinker.name = None, "thinks-first"
thinker.chat_template_override = thinker.chat_template + {OPENING!r}
thinker.save()
Preset.objects.create(name="unthinking", model=thinker, reasoning="none")
"""
CLEANUP = """
from registry.models import RegisteredModel, Preset
Preset.objects.all().delete()
RegisteredModel.objects.filter(name__in=["shut", "thinks-first"]).delete()
"""


@pytest.fixture(scope="module", autouse=True)
def presets(server: LiveServer) -> Iterator[None]:
    setup = server.manage("shell", "-c", SETUP)
    assert setup.returncode == 0, setup.stderr
    yield
    assert server.manage("shell", "-c", CLEANUP).returncode == 0


@pytest.fixture
def post(server: LiveServer) -> Iterator:
    """A function that posts a body to a path below /v1."""
    with httpx.Client(base_url=server.base_url, timeout=60) as http:

        def post(path: str, **body: object) -> httpx.Response:
            return http.post(path, json=body)

        yield post


def test_the_same_engine_answers_under_every_name(server: LiveServer, openai_client: openai.OpenAI):
    openai_client.chat.completions.create(model="demo", messages=GREETING)
    before = server.health()["models"]
    for name in ("short", "cold", "loose"):
        openai_client.chat.completions.create(model=name, messages=GREETING)
    assert [model["name"] for model in server.health()["models"]] == [model["name"] for model in before]


def test_a_prompt_that_the_model_knows_is_not_computed_again(openai_client: openai.OpenAI):
    messages = [{"role": "user", "content": "Tell me about the sea, the sky, the mountains and the rivers."}]
    first = openai_client.chat.completions.create(model="demo", messages=messages, max_tokens=1)
    usage = openai_client.chat.completions.create(model="short", messages=messages).usage
    assert usage.prompt_tokens == first.usage.prompt_tokens
    assert usage.prompt_tokens_details.cached_tokens >= usage.prompt_tokens - 1


def test_the_presets_defaults_hold_where_the_request_says_nothing(openai_client: openai.OpenAI):
    create = openai_client.chat.completions.create
    assert create(model="short", messages=GREETING).usage.completion_tokens == 3
    assert create(model="short", messages=GREETING, max_tokens=5).usage.completion_tokens == 5
    assert openai_client.completions.create(model="short", prompt="Hello").usage.completion_tokens == 3
    assert openai_client.responses.create(model="short", input="Hello!").usage.output_tokens == 3


def test_the_presets_system_prompt_is_put_in_front(post):
    def size(model: str, messages: list[dict]) -> int:
        return post("/chat/completions/input_tokens", model=model, messages=messages).json()["input_tokens"]

    assert size("pirate", GREETING) > size("demo", GREETING) + 40
    with_system = [{"role": "system", "content": "Hi."}, *GREETING]
    assert size("pirate", with_system) == size("demo", with_system)


@pytest.mark.parametrize("stream", [False, True])
def test_answers_have_the_name_that_was_asked_for(openai_client: openai.OpenAI, stream):
    answer = openai_client.chat.completions.create(model="short", messages=GREETING, stream=stream)
    assert {part.model for part in (answer if stream else [answer])} == {"short"}
    text = openai_client.completions.create(model="short", prompt="Hello", stream=stream)
    assert {part.model for part in (text if stream else [text])} == {"short"}


def test_stored_responses_have_the_name_that_was_asked_for(openai_client: openai.OpenAI):
    response = openai_client.responses.create(model="short", input="Hello!")
    stored = openai_client.responses.retrieve(response.id)
    assert (response.model, stored.model, stored.temperature) == ("short", "short", 0)
    again = openai_client.responses.create(model="cold", input="And?", previous_response_id=response.id)
    assert again.model == "cold"


def test_a_forced_temperature_wins_and_is_named(post):
    first, second = (post("/chat/completions", model="cold", messages=GREETING, temperature=2) for _ in range(2))
    assert first.headers["x-ignored-fields"] == "temperature"
    contents = {answer.json()["choices"][0]["message"]["content"] for answer in (first, second)}
    demo = post("/chat/completions", model="demo", messages=GREETING, temperature=0).json()
    assert contents == {demo["choices"][0]["message"]["content"]}


def test_responses_tell_the_forced_temperature(post):
    answer = post("/responses", model="cold", input="Hello!", temperature=2)
    assert answer.headers["x-ignored-fields"] == "temperature"
    assert answer.json()["temperature"] == 0


@pytest.mark.parametrize(
    ("path", "body", "ignored"),
    [
        ("/chat/completions", {"messages": GREETING, "max_completion_tokens": 9}, "max_completion_tokens, seed"),
        ("/completions", {"prompt": "Hello", "max_tokens": 9}, "max_tokens, seed"),
        ("/responses", {"input": "Hello!", "max_output_tokens": 9}, "max_output_tokens, seed"),
    ],
)
def test_ignored_parameters_are_named_at_every_endpoint(post, path, body, ignored):
    answer = post(path, model="loose", seed="not a number", **body)
    assert answer.headers["x-ignored-fields"] == ignored
    usage = answer.json()["usage"]
    assert usage.get("completion_tokens", usage.get("output_tokens")) == 4


def test_a_forced_format_is_followed_at_every_endpoint(post):
    chat = post("/chat/completions", model="json", messages=GREETING, regex="[a-z]+").json()
    assert chat["choices"][0]["message"]["content"] == "{}"
    assert post("/completions", model="json", prompt="Hello").json()["choices"][0]["text"] == "{}"
    response = post("/responses", model="json", input="Hello!").json()
    assert response["output"][0]["content"][0]["text"] == "{}"
    assert response["text"]["format"]["type"] == "json_schema"


def test_tools_that_are_not_allowed_are_refused(post):
    answer = post("/chat/completions", model="tooled", messages=GREETING, tools=TOOLS)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, "tools[1].function.name", "tool_not_allowed")
    assert "the model `tooled` allows only `now`, got `rm`" in error["message"]
    flat = [{"type": "function", **tool["function"]} for tool in TOOLS]
    error = post("/responses", model="tooled", input="Hello!", tools=flat).json()["error"]
    assert error["param"] == "tools[1].name"


def test_allowed_tools_are_offered(post):
    assert post("/chat/completions", model="tooled", messages=GREETING, tools=TOOLS[:1]).status_code == 200


@pytest.mark.parametrize("path", ["/chat/completions", "/responses"])
def test_reasoning_is_off_whatever_the_request_says(post, path):
    body = {"messages": GREETING} if path == "/chat/completions" else {"input": "Hello!"}
    wish = {"chat_template_kwargs": {"enable_thinking": True}, "ignore_eos": True}
    limit = {"max_tokens": 8} if path == "/chat/completions" else {"max_output_tokens": 8}

    def thoughts(model: str) -> int:
        usage = post(path, model=model, **body, **wish, **limit).json()["usage"]
        details = usage.get("completion_tokens_details") or usage["output_tokens_details"]
        return details["reasoning_tokens"]

    assert thoughts("thinks-first") == 8
    assert thoughts("unthinking") == 0


@pytest.mark.parametrize("name", ["off", "orphan", "unheard-of"])
def test_what_is_unknown_or_disabled_is_not_found(post, name):
    answer = post("/chat/completions", model=name, messages=GREETING)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert post("/tokenize", model=name, content="a").status_code == 404


def test_tokens_are_those_of_the_model(post):
    answers = [post("/tokenize", model=name, content="Hello").json() for name in ("demo", "short")]
    assert answers[0]["tokens"] == answers[1]["tokens"]


def test_the_list_of_models_names_presets_with_their_parents(openai_client: openai.OpenAI):
    parents = {model.id: model.parent for model in openai_client.models.list()}
    assert parents["demo"] is None
    assert parents["short"] == parents["cold"] == "demo"
    assert parents["unthinking"] == "thinks-first"
    assert not {"off", "orphan"} & set(parents)
    assert openai_client.models.retrieve("short").parent == "demo"


def test_a_change_of_a_preset_holds_for_the_next_request(server: LiveServer, openai_client: openai.OpenAI):
    change = "from registry.models import Preset; Preset.objects.filter(name='short').update(max_tokens={})"
    for limit in (2, 3):
        assert server.manage("shell", "-c", change.format(limit)).returncode == 0
        answer = openai_client.chat.completions.create(model="short", messages=GREETING)
        assert answer.usage.completion_tokens == limit
