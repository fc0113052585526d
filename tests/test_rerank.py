"""POST /v1/rerank with a real server and tiny models."""

import httpx
import pytest

QUERY = "what is the capital of france?"
DOCUMENTS = ["rain in berlin", "paris is the capital of france", "weather", "x y z " * 30]


@pytest.fixture
def post(pooling_server):
    """Send a body; return the response."""
    with httpx.Client(base_url=pooling_server.base_url, timeout=60) as http:
        base = {"model": "ranker", "query": QUERY, "documents": DOCUMENTS}
        yield lambda **body: http.post("/rerank", json={**base, **body})


@pytest.mark.parametrize("model", ["ranker", "yes-no"])
def test_documents_are_ranked_together_as_alone(post, model):
    body = post(model=model).json()
    assert (body["model"], body["object"]) == (model, "list")
    scores = [result["relevance_score"] for result in body["results"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score < 1 for score in scores)
    assert len(set(scores)) == len(DOCUMENTS)
    assert sorted(result["index"] for result in body["results"]) == [0, 1, 2, 3]
    for result in body["results"]:
        [alone] = post(model=model, documents=[DOCUMENTS[result["index"]]]).json()["results"]
        assert alone["relevance_score"] == pytest.approx(result["relevance_score"], abs=1e-4)


def test_top_n_returns_the_best(post):
    everything = post().json()["results"]
    assert [result["index"] for result in post(top_n=2).json()["results"]] == [
        result["index"] for result in everything[:2]
    ]
    assert len(post(top_n=50).json()["results"]) == len(DOCUMENTS)


def test_the_documents_come_back_when_asked_for(post):
    for result in post(return_documents=True).json()["results"]:
        assert result["document"] == {"text": DOCUMENTS[result["index"]]}
    assert "document" not in post().json()["results"][0]


def test_documents_may_be_objects(post):
    objects = post(documents=[{"text": text} for text in DOCUMENTS]).json()
    assert objects == post().json()


def test_the_query_and_every_document_are_counted(post):
    # BERT reads [CLS] rain [SEP] paris is [SEP]
    assert post(query="rain", documents=["paris is"]).json()["usage"] == {"prompt_tokens": 6, "total_tokens": 6}


def test_special_tokens_in_documents_are_text(post):
    plain = post(query="rain", documents=["[SEP]"]).json()["usage"]["prompt_tokens"]
    assert plain > 5


def test_a_document_over_the_context_is_refused_with_its_place(post):
    response = post(documents=["rain", "a " * 600])
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] == "documents"
    assert error["message"].startswith("Invalid `documents`: document 1 and the query have 6")
    assert error["message"].endswith(" tokens, this model takes at most 600.")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("query", ""), ("query", 5), ("documents", []), ("documents", "rain"), ("documents", ["rain", ""]),
        ("documents", [{"body": "rain"}]), ("documents", ["a"] * 2049), ("top_n", 0), ("top_n", "2"),
        ("return_documents", "yes"), ("max_tokens_per_doc", 512),
    ],
)  # fmt: skip
def test_other_values_are_refused(post, field, value):
    response = post(**{field: value})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == field
