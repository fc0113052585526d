"""POST /v1/completions with the official client, a real server and the demo model."""

import asyncio
import json

import httpx
import openai
import pytest

from tests.gguf_files import copy_gguf, write_infill_gguf
from tests.live_server import DEMO

FRANCE = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"
COUNT = "<|im_start|>user\nCount to 9.<|im_end|>\n<|im_start|>assistant\n"
GREETING = "<|im_start|>user\nПривет!<|im_end|>\n<|im_start|>assistant\n"
WILD = {"temperature": 2, "top_p": 1, "extra_body": {"top_k": 0, "min_p": 0, "ignore_eos": True}}


def complete(client: openai.OpenAI, prompt: object, **options: object) -> openai.types.Completion:
    return client.completions.create(
        **{"model": "demo", "prompt": prompt, "temperature": 0, "max_tokens": 40, **options}
    )


def texts(completion: openai.types.Completion) -> list[str]:
    return [choice.text for choice in completion.choices]


def tokens_of(server, text: str) -> list[int]:
    body = {"model": "demo", "content": text}
    return httpx.post(f"{server.base_url}/tokenize", json=body, timeout=60).json()["tokens"]


def collect(stream) -> tuple[dict[int, str], list]:
    """Return each choice's text and all chunks."""
    chunks = list(stream)
    parts: dict[int, str] = {}
    for chunk in chunks:
        for choice in chunk.choices:
            parts[choice.index] = parts.get(choice.index, "") + choice.text
    return parts, chunks


def test_a_prompt_is_continued(openai_client):
    completion = complete(openai_client, FRANCE)
    assert completion.object == "text_completion"
    assert completion.id.startswith("cmpl-")
    assert completion.model == "demo"
    [choice] = completion.choices
    assert choice.text == "The capital of France is Paris."
    assert (choice.index, choice.finish_reason, choice.logprobs) == (0, "stop", None)
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens


def test_no_template_is_applied(openai_client, server):
    completion = complete(openai_client, "The capital of", max_tokens=1)
    assert completion.usage.prompt_tokens == len(tokens_of(server, "The capital of"))


def test_a_stream_says_the_same(openai_client):
    parts, chunks = collect(complete(openai_client, FRANCE, stream=True))
    assert parts == {0: "The capital of France is Paris."}
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.completion_tokens > 1
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len({chunk.id for chunk in chunks}) == 1
    assert len(chunks) > 4


def test_the_usage_comes_in_a_chunk_of_its_own_when_asked_for(openai_client):
    _, chunks = collect(complete(openai_client, FRANCE, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == []
    assert chunks[-1].usage.prompt_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_the_bytes_of_a_stream_are_server_sent_events(server):
    body = {"model": "demo", "prompt": GREETING, "stream": True, "temperature": 0, "whatever": 1}
    response = httpx.post(f"{server.base_url}/completions", json=body, timeout=60)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["x-ignored-fields"] == "whatever"
    events = response.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    first = json.loads(events[0].removeprefix("data: "))
    assert set(first) == {"id", "object", "created", "model", "choices"}
    assert set(first["choices"][0]) == {"text", "index", "logprobs", "finish_reason"}


async def test_the_asynchronous_client_gets_the_same(server):
    async with openai.AsyncOpenAI(base_url=server.base_url, api_key="x", max_retries=0) as client:
        options = {"model": "demo", "temperature": 0, "max_tokens": 40}
        whole, stream = await asyncio.gather(
            client.completions.create(prompt=FRANCE, **options),
            client.completions.create(prompt=FRANCE, stream=True, **options),
        )
        streamed = "".join([chunk.choices[0].text async for chunk in stream])
    assert whole.choices[0].text == streamed == "The capital of France is Paris."


def test_a_prompt_may_be_tokens_or_a_list_of_either(openai_client, server):
    alone = [complete(openai_client, prompt).choices[0].text for prompt in (FRANCE, COUNT)]
    ids = [tokens_of(server, prompt) for prompt in (FRANCE, COUNT)]
    assert texts(complete(openai_client, [FRANCE, COUNT])) == alone
    assert texts(complete(openai_client, ids)) == alone
    assert texts(complete(openai_client, ids[1])) == alone[1:]
    assert texts(complete(openai_client, [COUNT])) == alone[1:]
    parts, _ = collect(complete(openai_client, [FRANCE, COUNT], stream=True))
    assert [parts[0], parts[1]] == alone


def test_an_empty_prompt_begins_a_text(openai_client):
    for prompt in ("", None, [""]):
        completion = complete(openai_client, prompt, max_tokens=3, extra_body={"ignore_eos": True})
        assert completion.usage.prompt_tokens == 1
        assert completion.usage.completion_tokens == 3
    absent = openai_client.post("/completions", body={"model": "demo", "max_tokens": 1}, cast_to=dict)
    assert absent["usage"]["prompt_tokens"] == 1


def test_an_empty_prompt_is_refused_where_no_token_begins_a_text(openai_client, register, tmp_path):
    register("headless", copy_gguf(DEMO, tmp_path / "headless.gguf", without=["tokenizer.ggml.bos_token_id"]))
    with pytest.raises(openai.BadRequestError) as caught:
        complete(openai_client, ["a", ""], model="headless")
    assert caught.value.param == "prompt"
    assert "no token with which a text begins" in caught.value.message


def test_sixteen_tokens_are_the_default(openai_client, register):
    body = {"model": "demo", "prompt": COUNT, "extra_body": {"ignore_eos": True}}
    assert openai_client.completions.create(**body).usage.completion_tokens == 16
    body["model"] = register("terse", DEMO, "--max-tokens", "5")
    assert openai_client.completions.create(**body).usage.completion_tokens == 5
    assert openai_client.completions.create(**body, max_tokens=7).usage.completion_tokens == 7


def test_max_tokens_and_stop_end_the_text(openai_client):
    cut = complete(openai_client, COUNT, max_tokens=5)
    assert (cut.choices[0].finish_reason, cut.usage.completion_tokens) == ("length", 5)
    stopped = complete(openai_client, COUNT, stop=["never", "5"]).choices[0]
    assert stopped.finish_reason == "stop"
    assert "4" in stopped.text
    assert "5" not in stopped.text


@pytest.mark.parametrize(
    "form", [{"enum": ["qq"]}, {"regex": "q{2}"}, {"grammar": 'start: "qq"'}, {"grammar": 'root ::= "qq"'}]
)
def test_the_text_has_the_required_form(openai_client, form):
    assert texts(complete(openai_client, FRANCE, extra_body=form)) == ["qq"]


def test_nothing_may_be_generated(openai_client):
    for options in ({}, {"logprobs": 1}):
        completion = complete(openai_client, COUNT, max_tokens=0, **options)
        assert (completion.choices[0].text, completion.choices[0].finish_reason) == ("", "length")
        assert completion.usage.completion_tokens == 0
    parts, chunks = collect(complete(openai_client, COUNT, max_tokens=0, stream=True))
    assert (parts, len(chunks)) == ({0: ""}, 1)


@pytest.mark.parametrize("stream", [False, True])
def test_an_echo_begins_with_the_prompt(openai_client, server, stream):
    plain = complete(openai_client, GREETING).choices[0].text
    for prompt in (GREETING, tokens_of(server, GREETING)):
        answer = complete(openai_client, prompt, echo=True, stream=stream)
        assert (collect(answer)[0][0] if stream else answer.choices[0].text) == GREETING + plain


def test_several_choices_of_several_prompts_stand_in_order(openai_client):
    completion = complete(openai_client, [FRANCE, COUNT], n=3, echo=True)
    assert [choice.index for choice in completion.choices] == list(range(6))
    assert [text.startswith(FRANCE) for text in texts(completion)] == [True] * 3 + [False] * 3
    assert len(set(texts(completion))) == 2
    parts, chunks = collect(complete(openai_client, [FRANCE, COUNT], n=3, echo=True, stream=True))
    assert [parts[index] for index in range(6)] == texts(completion)
    ends = [choice.index for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    assert sorted(ends) == list(range(6))
    assert chunks[-1].usage.total_tokens == completion.usage.total_tokens


def test_the_usage_counts_each_prompt_once(openai_client):
    single = [complete(openai_client, prompt, max_tokens=4).usage.prompt_tokens for prompt in (FRANCE, COUNT)]
    for options in ({"n": 3}, {"n": 1, "best_of": 3}):
        usage = complete(openai_client, [FRANCE, COUNT], max_tokens=4, **options).usage
        assert usage.prompt_tokens == sum(single)
        assert usage.completion_tokens == 2 * 3 * 4


def test_choice_i_has_the_seed_plus_i(openai_client):
    options = {**WILD, "max_tokens": 2}  # more of them would show the rounding of other batches
    together = texts(complete(openai_client, "The", n=3, seed=7, **options))
    alone = [texts(complete(openai_client, "The", seed=seed, **options))[0] for seed in (7, 8, 9)]
    assert together == alone
    assert len(set(together)) == 3


def test_without_a_seed_choices_differ(openai_client):
    assert len(set(texts(complete(openai_client, "The", n=4, **WILD)))) == 4


def mean_logprob(choice) -> float:
    return sum(choice.logprobs.token_logprobs) / len(choice.logprobs.token_logprobs)


def test_best_of_returns_the_likeliest(openai_client):
    options = {"seed": 3, "max_tokens": 2, **WILD}
    candidates = complete(openai_client, "The", n=5, logprobs=0, **options).choices
    ranked = [choice.text for choice in sorted(candidates, key=mean_logprob, reverse=True)]
    best = complete(openai_client, "The", n=2, best_of=5, **options)
    assert texts(best) == ranked[:2]
    assert [choice.index for choice in best.choices] == [0, 1]
    assert all(choice.logprobs is None for choice in best.choices)
    assert best.usage.completion_tokens == 5 * 2
    assert texts(complete(openai_client, [COUNT, "The"], best_of=5, **options))[1] == ranked[0]


def test_best_of_as_many_as_returned_can_be_streamed(openai_client):
    parts, _ = collect(complete(openai_client, FRANCE, best_of=1, stream=True))
    assert "Paris" in parts[0]


@pytest.mark.parametrize("stream", [False, True])
def test_logprobs_stand_in_columns(openai_client, stream):
    answer = complete(openai_client, GREETING, logprobs=3, stream=stream)
    if stream:
        choices = [chunk.choices[0] for chunk in answer]
        text = "".join(choice.text for choice in choices)
        columns = {
            name: [item for choice in choices for item in getattr(choice.logprobs, name)]
            for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset")
        }
    else:
        text, columns = answer.choices[0].text, answer.choices[0].logprobs.model_dump()
    assert len({len(column) for column in columns.values()}) == 1
    check_offsets(text, columns)
    for token, logprob, top in zip(columns["tokens"], columns["token_logprobs"], columns["top_logprobs"], strict=True):
        assert len(top) == 3, "a greedy token is one of the likeliest"
        assert top[token] == logprob == max(top.values())


def check_offsets(text: str, columns: dict) -> None:
    assert columns["text_offset"] == sorted(columns["text_offset"])
    for token, offset in zip(columns["tokens"], columns["text_offset"], strict=True):
        assert token.startswith("bytes:") or text[offset:].startswith(token)


def test_logprobs_of_zero_give_the_tokens_own(openai_client):
    columns = complete(openai_client, COUNT, logprobs=0).choices[0].logprobs
    pairs = zip(columns.tokens, columns.token_logprobs, strict=True)
    assert columns.top_logprobs == [{token: logprob} for token, logprob in pairs]


def test_a_drawn_token_is_added_to_the_likeliest(openai_client):
    columns = complete(openai_client, "The", logprobs=2, seed=1, **WILD).choices[0].logprobs
    assert {len(top) for top in columns.top_logprobs} == {2, 3}
    assert all(token in top for token, top in zip(columns.tokens, columns.top_logprobs, strict=True))


def test_parts_of_characters_are_written_as_bytes(openai_client):
    columns = complete(openai_client, "🙂", echo=True, logprobs=0, max_tokens=0).choices[0].logprobs
    assert any(token.startswith(r"bytes:\x") for token in columns.tokens)
    assert columns.text_offset == [0] * len(columns.tokens)


@pytest.mark.parametrize("stream", [False, True])
def test_an_echo_scores_the_prompt_as_generating_it_did(openai_client, server, stream):
    said = complete(openai_client, FRANCE, logprobs=2).choices[0]
    said_tokens = said.logprobs.tokens
    # The model's own tokens, which need not be those that the tokenizer would choose for their text.
    ids = tokens_of(server, FRANCE) + [token for piece in said_tokens for token in tokens_of(server, piece)]
    for max_tokens in (0, 1):
        answer = complete(openai_client, ids, echo=True, logprobs=2, max_tokens=max_tokens, stream=stream)
        choice = next(iter(answer)).choices[0] if stream else answer.choices[0]
        columns = choice.logprobs
        assert choice.text.startswith(FRANCE + said.text)
        check_offsets(choice.text, columns.model_dump())
        assert (columns.token_logprobs[0], columns.top_logprobs[0]) == (None, None)
        tail = slice(len(ids) - len(said_tokens), len(ids))
        assert columns.tokens[tail] == said_tokens
        assert columns.token_logprobs[tail] == pytest.approx(said.logprobs.token_logprobs, abs=1e-3)
        assert all(token in top for token, top in zip(columns.tokens[1:], columns.top_logprobs[1:], strict=True))


def test_a_scored_prompt_of_ids_has_a_number_for_each(openai_client, server):
    ids = [tokens_of(server, text) for text in (FRANCE, GREETING)]
    completion = complete(openai_client, ids, echo=True, logprobs=1, max_tokens=0, n=2)
    assert texts(completion) == [FRANCE, FRANCE, GREETING, GREETING]
    for choice in completion.choices:
        assert len(choice.logprobs.token_logprobs) == len(ids[choice.index // 2])
    assert completion.usage.prompt_tokens_details.cached_tokens == 0


def test_every_sampling_parameter_is_honoured(openai_client):
    plain = complete(openai_client, COUNT).choices[0].text
    assert complete(openai_client, COUNT, frequency_penalty=2, presence_penalty=2).choices[0].text != plain
    assert complete(openai_client, COUNT, logit_bias={"1019": 100}).choices[0].text == ""
    assert complete(openai_client, COUNT, temperature=2, extra_body={"top_k": 1}).choices[0].text == plain
    assert complete(openai_client, COUNT, user="u", extra_body={"repeat_penalty": 5}).choices[0].text != plain


BAD_FIELDS = [
    ({"model": None}, "model", "null"),
    ({"prompt": 5}, "prompt", "a string, a list of token ids, or a list of either, got 5"),
    ({"prompt": []}, "prompt", "got []"),
    ({"prompt": {"a": 1}}, "prompt", "a string, a list"),
    ({"prompt": ["a", 5]}, "prompt", "a string or a list of token ids as prompt 1, got 5"),
    ({"prompt": [1, "a"]}, "prompt", "as prompt 0, got 1"),
    ({"prompt": [[1], []]}, "prompt", "as prompt 1, got []"),
    ({"prompt": [[1, 2.5]]}, "prompt", "as prompt 0, got [1, 2.5]"),
    ({"prompt": [1, 5000]}, "prompt", "ids go from 0 to 1023, got 5000"),
    ({"prompt": [-7], "echo": True}, "prompt", "ids go from 0 to 1023, got -7"),
    ({"prompt": ["a"] * 26, "n": 10}, "prompt", "at most 256 completions in one request (limits.choices), got 26 x 10"),
    ({"suffix": 5}, "suffix", "expected a string, got 5"),
    ({"suffix": "b"}, "suffix", "for model `demo`: this model has no tokens for filling in the middle"),
    ({"suffix": "b", "echo": True, "logprobs": 1}, "echo", "around a `suffix`"),
    ({"max_tokens": -1}, "max_tokens", "at least 0, got -1"),
    ({"n": 0}, "n", "between 1 and 20, got 0"),
    ({"n": 21}, "n", "between 1 and 20, got 21"),
    ({"best_of": 21}, "best_of", "between 1 and 20"),
    ({"n": 3, "best_of": 2}, "best_of", "at least `n`, which is 3, got 2"),
    ({"best_of": 2, "stream": True}, "best_of", "cannot be streamed"),
    ({"echo": "yes"}, "echo", "true or false"),
    ({"logprobs": 6}, "logprobs", "between 0 and 5, got 6"),
    ({"logprobs": True}, "logprobs", "an integer between 0 and 5, got True"),
    ({"logit_bias": {"5000": 1}}, "logit_bias", "from 0 to 1023, got 5000"),
    ({"temperature": 3}, "temperature", "between 0 and 2, got 3"),
    ({"stop": 5}, "stop", "a non-empty string"),
]


@pytest.mark.parametrize(("change", "param", "part"), BAD_FIELDS)
def test_a_bad_field_is_named(server, change, param, part):
    body = {"model": "demo", "prompt": "a", **change}
    response = httpx.post(f"{server.base_url}/completions", json=body, timeout=60)
    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert part in error["message"]


def test_an_unknown_model_is_a_404(openai_client):
    with pytest.raises(openai.NotFoundError) as caught:
        complete(openai_client, "a", model="no-such-model")
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_over_the_context_gets_openais_own_sentence(openai_client, stream):
    with pytest.raises(openai.BadRequestError) as caught:
        complete(openai_client, "word " * 5000, stream=stream)
    error = caught.value.body
    assert (error["code"], error["param"]) == ("context_length_exceeded", "prompt")
    assert error["message"].startswith("This model's maximum context length is 2048 tokens, however you requested")


def test_an_error_ends_the_other_completions(server, openai_client):
    with pytest.raises(openai.BadRequestError):
        complete(openai_client, [*[COUNT] * 4, "word " * 5000], max_tokens=1900, extra_body={"ignore_eos": True})
    server.wait_for("running == 0 and waiting == 0")


LONG = {"model": "demo", "prompt": [COUNT, FRANCE], "n": 3, "max_tokens": 1900, "ignore_eos": True}


def test_leaving_frees_all_sequences(server):
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.base_url}/completions", json=LONG, timeout=httpx.Timeout(10, read=1))
    server.wait_for("running == 0 and waiting == 0")


def test_leaving_a_stream_frees_all_sequences(server):
    url, body = f"{server.base_url}/completions", {**LONG, "stream": True}
    with httpx.Client(timeout=60) as client, client.stream("POST", url, json=body):
        server.wait_for("running + waiting == 6")
    server.wait_for("running == 0 and waiting == 0")


@pytest.fixture
def infill(register, tmp_path) -> str:
    """A model whose vocabulary has tokens for filling in the middle; it was not trained for it."""
    return register("infill", write_infill_gguf(DEMO, tmp_path / "infill.gguf", 1020, 1021, 1022))


def test_a_gap_is_filled_in(openai_client, server, infill):
    completion = complete(openai_client, "def add(a, b):\n", model=infill, suffix="\n\nprint(1)", max_tokens=5)
    around = len(tokens_of(server, "def add(a, b):\n")) + len(tokens_of(server, "\n\nprint(1)"))
    assert completion.usage.prompt_tokens == 1 + 3 + around, "BOS and three tokens between the texts"
    parts, _ = collect(
        complete(openai_client, "def add(a, b):\n", model=infill, suffix="\n\nprint(1)", max_tokens=5, stream=True)
    )
    assert parts[0] == completion.choices[0].text
    echoed = complete(openai_client, "x", model=infill, suffix="y", echo=True, max_tokens=2)
    assert echoed.choices[0].text.startswith("x")


def test_an_empty_suffix_is_none(openai_client):
    assert texts(complete(openai_client, FRANCE, suffix="")) == texts(complete(openai_client, FRANCE))


def test_a_bos_token_takes_no_room_in_the_echoed_text(openai_client, infill):
    choice = complete(openai_client, "Hello", model=infill, echo=True, logprobs=0, max_tokens=0).choices[0]
    assert choice.text == "Hello"
    assert choice.logprobs.tokens[0] == "<|endoftext|>"
    assert choice.logprobs.text_offset[:2] == [0, 0]
    assert choice.logprobs.token_logprobs[0] is None
