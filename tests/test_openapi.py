"""`/openapi.json`."""

from concurrent.futures import ThreadPoolExecutor

from django.test import Client

from inference.views import schema


def test_it_is_the_same_for_all_who_ask_at_once():
    """drf-spectacular's extensions do not bear being loaded by two threads."""
    schema._schema.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: Client().get("/openapi.json"), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def test_input_is_described_by_the_serializers_that_read_it():
    components = Client().get("/openapi.json").json()["components"]["schemas"]
    text, items = components["ResponseRequest"]["properties"]["input"]["oneOf"]
    names = [item["$ref"].rpartition("/")[2] for item in items["items"]["anyOf"]]
    assert text == {"type": "string"}
    assert components[names[0]]["required"] == ["content", "role"]
    assert len(names) == 5


def test_events_of_streams_have_their_data_as_text():
    schema = Client().get("/openapi.json").json()
    contents = {
        path: operation["responses"]["200"]["content"]["text/event-stream"]["schema"]
        for path, operations in schema["paths"].items()
        for operation in operations.values()
        if "text/event-stream" in operation["responses"].get("200", {}).get("content", {})
    }
    assert len(contents) == 5
    assert all(content["properties"]["data"]["type"] == "string" for content in contents.values())
    assert contents["/v1/pool/events"]["properties"]["data"]["contentSchema"] == {"$ref": "#/components/schemas/Pool"}


def test_a_list_that_may_not_be_empty_says_so():
    properties = Client().get("/openapi.json").json()["components"]["schemas"]["ChatCompletionRequest"]["properties"]
    assert properties["messages"]["minItems"] == 1


def test_a_text_that_may_not_be_empty_says_so():
    properties = Client().get("/openapi.json").json()["components"]["schemas"]["RerankRequest"]["properties"]
    assert properties["query"]["minLength"] == 1
