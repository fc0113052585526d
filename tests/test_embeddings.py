"""POST /v1/embeddings with the official client, a real server and tiny models."""

import asyncio
import base64
import socket

import httpx
import numpy as np
import openai
import pytest

from tests.live_server import wait_until

MODELS = ["bert", "causal"]
TEXTS = ["the capital of france is paris", "rain", "weather in berlin " * 20, "a", "is it, 42?", "x" * 300]
LONG = "rain is the weather. " * 130  # several batches for `causal`, too long for `bert`


@pytest.fixture
def client(pooling_server):
    with openai.OpenAI(base_url=pooling_server.base_url, api_key="x", max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture
def post(pooling_server):
    """Send a body; return the response."""
    with httpx.Client(base_url=pooling_server.base_url, timeout=60) as http:
        yield lambda **body: http.post("/embeddings", json={"model": "bert", **body})


@pytest.fixture
def refusal(post):
    """Send a body that is refused; return the error."""

    def refusal(**body):
        response = post(**body)
        assert response.status_code == 400, response.text
        return response.json()["error"]

    return refusal


def vectors(client: openai.OpenAI, model: str, texts: object, **options: object) -> np.ndarray:
    answer = client.embeddings.create(model=model, input=texts, **options)
    assert [entry.index for entry in answer.data] == list(range(len(answer.data)))
    return np.array([entry.embedding for entry in answer.data])


@pytest.mark.parametrize("model", MODELS)
def test_together_as_alone_and_in_order(client, model):
    together = vectors(client, model, TEXTS)
    alone = np.concatenate([vectors(client, model, text) for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-4
    assert np.abs(together @ together.T - np.eye(len(TEXTS))).max() > 1e-3
    assert len(np.unique(together.round(3), axis=0)) == len(TEXTS)


@pytest.mark.parametrize("model", MODELS)
def test_vectors_have_length_one(client, model):
    assert np.linalg.norm(vectors(client, model, TEXTS), axis=1) == pytest.approx(1, abs=1e-6)


def test_base64_and_float_are_the_same(client):
    as_base64 = vectors(client, "bert", TEXTS)  # the client's own choice
    assert vectors(client, "bert", TEXTS, encoding_format="float") == pytest.approx(as_base64)


def test_the_body_is_openais(post):
    body = post(input=["rain", "paris"], user="ada").json()
    assert body["object"] == "list"
    assert body["model"] == "bert"
    assert body["usage"] == {"prompt_tokens": 6, "total_tokens": 6}
    assert [(entry["object"], entry["index"]) for entry in body["data"]] == [("embedding", 0), ("embedding", 1)]
    assert len(body["data"][0]["embedding"]) == 32


def test_base64_is_little_endian_float32(post):
    [entry] = post(input="rain", encoding_format="base64").json()["data"]
    [expected] = post(input="rain").json()["data"]
    assert np.frombuffer(base64.b64decode(entry["embedding"]), "<f4") == pytest.approx(expected["embedding"])


@pytest.mark.parametrize("model", MODELS)
def test_two_hundred_inputs(client, model):
    texts = [f"{number} is the weather of {number % 7}" for number in range(200)]
    together = vectors(client, model, texts)
    assert np.abs(together[[0, 77, 199]] - vectors(client, model, [texts[0], texts[77], texts[199]])).max() < 1e-4


async def test_concurrent_requests_get_their_own_vectors(pooling_server, client):
    alone = {text: vectors(client, "bert", text)[0] for text in TEXTS}

    async def embed(http: openai.AsyncOpenAI, text: str) -> np.ndarray:
        answer = await http.embeddings.create(model="bert", input=[text, "rain"])
        return np.array(answer.data[0].embedding)

    async with openai.AsyncOpenAI(base_url=pooling_server.base_url, api_key="x") as http:
        results = await asyncio.gather(*(embed(http, text) for text in TEXTS * 4))
    for text, result in zip(TEXTS * 4, results, strict=True):
        assert np.abs(result - alone[text]).max() < 1e-4


def test_a_text_of_several_batches_is_computed_whole(client):
    longer = vectors(client, "causal", LONG)
    assert np.abs(longer - vectors(client, "causal", [LONG, "rain", LONG])[2]).max() < 1e-3
    # its last token has seen the first one
    assert np.abs(longer - vectors(client, "causal", f"42 {LONG}")).max() > 1e-3


def test_dimensions_are_cut_and_scaled(client):
    [whole], [cut] = vectors(client, "bert", "rain"), vectors(client, "bert", "rain", dimensions=8)
    assert cut == pytest.approx(whole[:8] / np.linalg.norm(whole[:8]), abs=1e-6)


def test_more_dimensions_than_there_are_are_refused(refusal):
    error = refusal(input="rain", dimensions=33)
    assert error["param"] == "dimensions"
    assert error["message"] == "Invalid `dimensions`: this model's vectors have 32 dimensions, got 33."


def test_an_input_over_the_context_is_refused_with_its_place(refusal):
    error = refusal(input=["rain", LONG])
    assert error["param"] == "input"
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith("Invalid `input`: input 1 has ")
    assert error["message"].endswith(" tokens, this model takes at most 600.")


def test_an_input_as_long_as_the_context_is_not(post):
    assert post(input="a " * 598).json()["usage"]["prompt_tokens"] == 600
    assert post(input="a " * 599).status_code == 400


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "expected a non-empty string as input 0, got ''."),
        ([], "expected a string, a list of strings, a list of token ids, or a list of lists of token ids, got []."),
        (["a", ""], "expected a non-empty string as input 1, got ''."),
        (["a", 5], "expected a non-empty string as input 1, got 5."),
        (["a"] * 2049, "expected at most 2048 inputs, got 2049."),
        ({"text": "a"}, "expected a string, a list of strings"),
        ([[1], []], "expected a non-empty string or list of token ids as input 1, got []."),
        ([True], "expected a non-empty string or list of token ids as input 0, got True."),
    ],
)
def test_other_inputs_are_refused(refusal, value, message):
    error = refusal(input=value)
    assert error["param"] == "input"
    assert message in error["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("encoding_format", "int8"), ("dimensions", 0), ("dimensions", "8"), ("tokenizer", "cl100k_base"), ("model", 5)],
)
def test_other_values_are_refused(refusal, field, value):
    error = refusal(**{"input": "rain", field: value})
    assert error["param"] == field
    assert str(value) in error["message"]


@pytest.mark.parametrize("tokens", [[1, 2, 3], [[1, 2], [3]]])
def test_token_ids_of_who_knows_which_tokenizer_are_refused_with_the_cure(refusal, tokens):
    error = refusal(input=tokens)
    assert error["param"] == "input"
    for words in ("OpenAI's own tokenizer", "RAG_CHECK_EMBEDDING_CTX_LENGTH=False", "check_embedding_ctx_length=False"):
        assert words in error["message"]


def test_the_models_own_token_ids_are_honoured(post):
    [text, tokens] = [
        post(input="rain").json(),
        post(input=[2, 12, 3], tokenizer="model").json(),
    ]
    assert tokens["usage"] == text["usage"]
    assert tokens["data"][0]["embedding"] == pytest.approx(text["data"][0]["embedding"], abs=1e-5)
    assert len(post(input=[[2, 12, 3], [2, 3]], tokenizer="model").json()["data"]) == 2


@pytest.mark.parametrize("token", [-1, 96, 2**40])
def test_ids_outside_the_vocabulary_are_refused(refusal, token):
    error = refusal(input=[[2, 3], [2, token]], tokenizer="model")
    assert error["message"] == f"Invalid `input`: this model's token ids go from 0 to 95, input 1 has {token}."


@pytest.mark.parametrize(
    ("path", "model", "kind", "endpoint"),
    [
        ("embeddings", "demo", "chat", "/v1/chat/completions"),
        ("embeddings", "ranker", "rerank", "/v1/rerank"),
        ("chat/completions", "bert", "embedding", "/v1/embeddings"),
        ("rerank", "bert", "embedding", "/v1/embeddings"),
    ],
)
def test_a_model_of_another_kind_is_refused_with_its_endpoint(pooling_server, path, model, kind, endpoint):
    body = {
        "model": model, "input": "rain", "messages": [{"role": "user", "content": "Hi"}], "query": "q",
        "documents": ["d"],
    }  # fmt: skip
    response = httpx.post(f"{pooling_server.base_url}/{path}", json=body, timeout=60)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["param"], error["code"]) == ("model", "wrong_model_kind")
    assert error["message"] == (
        f"The model `{model}` is of the kind {kind}, which this endpoint does not work with; use it with {endpoint}."
    )


def test_models_tell_their_kind(pooling_server):
    models = httpx.get(f"{pooling_server.base_url}/models", timeout=60).json()["data"]
    kinds = {model["id"]: (model["meta"]["kind"], model["meta"]["n_embd"]) for model in models}
    assert kinds["bert"] == ("embedding", 32)
    assert kinds["ranker"] == ("rerank", 32)
    assert kinds["demo"] == ("chat", 128)


def test_a_client_that_goes_frees_the_engine(pooling_server, post):
    assert post(model="causal", input="rain").status_code == 200
    body = httpx.Request("POST", "/", json={"model": "causal", "input": [LONG] * 400}).content
    with socket.create_connection(("127.0.0.1", pooling_server.port)) as connection:
        head = f"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        pooling_server.wait_for("running == 1")
        assert post(model="causal", input="rain").status_code == 200, "one input must not wait for 400"
        assert pooling_server.health()["running"] == 1
    wait_until(lambda: pooling_server.health()["running"] + pooling_server.health()["waiting"] == 0)


def test_a_preset_is_a_further_name(pooling_server, client):
    code = "from registry.models import Preset, RegisteredModel as M; Preset.objects.{}"
    created = code.format("create(name='ada', model=M.objects.get(name='bert'))")
    assert pooling_server.manage("shell", "-c", created).returncode == 0
    answer = client.embeddings.create(model="ada", input="rain")
    assert answer.model == "ada"
    assert np.array_equal([answer.data[0].embedding], vectors(client, "bert", "rain"))
    with pytest.raises(openai.BadRequestError, match="`ada` is of the kind embedding"):
        client.chat.completions.create(model="ada", messages=[{"role": "user", "content": "Hi"}])
    assert pooling_server.manage("shell", "-c", code.format("all().delete()")).returncode == 0
