"""LangChain for Python: its chat model, and the embeddings that LibreChat's RAG API uses."""

import json
from typing import Literal

import openai
import pytest
import tiktoken
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, Field
from tiktoken import registry

from tests.test_chat_completions import capital

ROME = "What is the weather in Rome?"


class Title(BaseModel):
    """A title for a conversation."""

    language: Literal["English", "Russian"] = Field(description="The language of the conversation.")
    title: Literal["Friendly Greeting", "Sums"]


@tool
def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    return f"Sunny in {city}, 21°C"


@pytest.fixture
def model(pooling_server):
    """Return a chat model; the options are those of ChatOpenAI."""

    def model(**options: object) -> ChatOpenAI:
        settings = {"model": "demo", "temperature": 0, "max_retries": 0, "timeout": 60, **options}
        return ChatOpenAI(base_url=pooling_server.base_url, api_key="any text", **settings)

    return model


@pytest.fixture
def embeddings(pooling_server):
    def embeddings(**options: object) -> OpenAIEmbeddings:
        return OpenAIEmbeddings(
            model="bert", base_url=pooling_server.base_url, api_key="any text", max_retries=0, **options
        )

    return embeddings


def concatenated(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    return sum(chunks[1:], chunks[0])


def test_a_question_is_answered(model):
    answer = model().invoke([SystemMessage("Answer briefly."), HumanMessage(capital("France"))])
    assert "Paris" in answer.content
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata["total_tokens"] > 0


def test_several_questions_are_answered_at_once(model):
    answers = model().batch([capital("Italy"), capital("Spain")])
    assert ["Rome" in answers[0].content, "Madrid" in answers[1].content] == [True, True]


@pytest.mark.parametrize("stream_usage", [True, False])
def test_a_streamed_answer_has_its_usage_asked_or_not(model, stream_usage):
    chunks = list(model(stream_usage=stream_usage).stream(capital("France")))
    assert len(chunks) > 4
    answer = concatenated(chunks)
    assert "Paris" in answer.content
    assert answer.usage_metadata["output_tokens"] > 1
    assert answer.usage_metadata["input_token_details"]["cache_read"] >= 0


async def test_the_asynchronous_model_gets_the_same(model):
    whole = await model().ainvoke(capital("France"))
    chunks = [chunk async for chunk in model().astream(capital("France"))]
    assert concatenated(chunks).content == whole.content


@pytest.mark.parametrize("responses_api", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_is_run_and_its_result_used(model, responses_api, streamed):
    bound = model(use_responses_api=responses_api).bind_tools([get_weather])

    def ask(messages: list) -> AIMessage:
        return concatenated(list(bound.stream(messages))) if streamed else bound.invoke(messages)

    messages = [HumanMessage(ROME)]
    asked = ask(messages)
    [call] = asked.tool_calls
    assert call["id"]
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Rome"})
    result = get_weather.invoke(call)
    assert isinstance(result, ToolMessage)
    assert "21" in ask([*messages, asked, result]).text


def test_a_call_can_be_forced_or_forbidden(model):
    [call] = model().bind_tools([get_weather], tool_choice="get_weather").invoke("Hello!").tool_calls
    assert call["name"] == "get_weather"
    assert model().bind_tools([get_weather], tool_choice="required", parallel_tool_calls=False).invoke(ROME).tool_calls
    assert not model().bind_tools([get_weather], tool_choice="none").invoke(ROME).tool_calls


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
@pytest.mark.parametrize("responses_api", [False, True])
def test_a_structured_answer_is_parsed(model, method, responses_api):
    structured = model(use_responses_api=responses_api).with_structured_output(Title, method=method)
    assert isinstance(structured.invoke("Hello!"), Title)


def test_any_json_may_be_asked_for(model):
    structured = model(max_tokens=40).with_structured_output(None, method="json_mode", include_raw=True)
    raw = structured.invoke("Give me JSON.")["raw"].content
    assert raw.lstrip().startswith("{")


def test_log_probabilities_are_passed_on(model):
    answer = model(logprobs=True, top_logprobs=2).invoke(capital("France"))
    tokens = answer.response_metadata["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == answer.content


def test_a_prompt_over_the_context_keeps_its_code_and_sentence(model):
    with pytest.raises(openai.BadRequestError, match="maximum context length is 2048 tokens") as caught:
        model().invoke("word " * 5000)
    assert caught.value.code == "context_length_exceeded"


def test_an_unknown_model_is_not_found(model):
    with pytest.raises(openai.NotFoundError):
        model(model="no-such-model").invoke("Hello!")


def test_texts_become_vectors(embeddings):
    """With `RAG_CHECK_EMBEDDING_CTX_LENGTH=False` the RAG API embeds like this."""
    embedder = embeddings(check_embedding_ctx_length=False)
    first, second = embedder.embed_documents(["rain", "paris"])
    assert len(first) == len(second) == 32
    assert embedder.embed_query("rain") == pytest.approx(first, abs=1e-4)


def test_token_ids_are_refused_with_the_cure(embeddings, monkeypatch):
    """By default the client sends ids of OpenAI's vocabulary; that is a download, and any other will do here."""
    letters = {bytes([number]): number for number in range(256)}
    encoding = tiktoken.Encoding("cl100k_base", pat_str=r"\S+|\s+", mergeable_ranks=letters, special_tokens={})
    monkeypatch.setitem(registry.ENCODINGS, "cl100k_base", encoding)
    with pytest.raises(openai.BadRequestError, match="RAG_CHECK_EMBEDDING_CTX_LENGTH=False") as caught:
        embeddings(check_embedding_ctx_length=True).embed_query("rain")
    assert "check_embedding_ctx_length=False" in caught.value.message
    assert json.loads(caught.value.response.request.content)["input"] == [list(b"rain")]
