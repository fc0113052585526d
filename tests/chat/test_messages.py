"""normalize: OpenAI's messages in the shapes that templates know."""

from inference.chat.messages import normalize

USER = {"role": "user", "content": "Hi"}


def test_developer_is_system_and_function_is_tool():
    messages = [{"role": "developer", "content": "d"}, USER, {"role": "function", "name": "f", "content": "r"}]
    assert [message["role"] for message in normalize(messages)] == ["system", "user", "tool"]


def test_text_parts_are_joined():
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    assert normalize([{"role": "user", "content": parts}])[0]["content"] == "one\ntwo"


def test_adjacent_messages_of_one_role_are_merged():
    messages = normalize([USER, {"role": "user", "content": "there"}])
    assert messages == [{"role": "user", "content": "Hi\n\nthere"}]


def test_tool_results_stay_apart_and_get_their_names():
    calls = [{"id": i, "function": {"name": f"f{i}", "arguments": "{}"}} for i in "12"]
    results = [{"role": "tool", "tool_call_id": i, "content": i} for i in "12"]
    messages = normalize([USER, {"role": "assistant", "content": "", "tool_calls": calls}, *results])
    assert [message.get("name") for message in messages[2:]] == ["f1", "f2"]


def test_merged_assistant_messages_keep_all_calls():
    call = {"id": "1", "function": {"name": "f", "arguments": "{}"}}
    messages = normalize([{"role": "assistant", "content": "a"}, {"role": "assistant", "tool_calls": [call]}])
    assert len(messages) == 1
    assert messages[0]["tool_calls"][0]["function"]["name"] == "f"


def test_arguments_are_parsed_and_broken_ones_kept_as_text():
    calls = [
        {"id": "1", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "2", "function": {"name": "f", "arguments": '{"a":'}},
    ]
    [message] = normalize([{"role": "assistant", "tool_calls": calls}])
    assert [call["function"]["arguments"] for call in message["tool_calls"]] == [{"a": 1}, '{"a":']


def test_the_default_system_prompt_comes_first_unless_there_is_one():
    assert normalize([USER], "Be kind.")[0] == {"role": "system", "content": "Be kind."}
    assert normalize([{"role": "system", "content": "Own."}, USER], "Be kind.")[0]["content"] == "Own."


def test_the_request_is_left_as_it_was():
    messages = [dict(USER), dict(USER)]
    normalize(messages)
    assert messages == [USER, USER]


def calling(*ids: str) -> dict:
    calls = [{"id": i, "function": {"name": f"f{i}", "arguments": "{}"}} for i in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def test_results_stand_in_the_order_of_their_calls():
    results = [{"role": "tool", "tool_call_id": i, "content": i} for i in ("2", "unknown", "1")]
    messages = normalize([USER, calling("1", "2"), *results, USER, calling("1"), results[2]])
    assert [message.get("tool_call_id") for message in messages] == [None, None, "1", "2", "unknown", None, None, "1"]


def test_results_of_the_role_function_get_the_ids_of_their_calls():
    results = [{"role": "function", "name": name, "content": "r"} for name in ("f2", "f1", "f1")]
    messages = normalize([USER, calling("1", "2"), *results])
    assert [(message["name"], message.get("tool_call_id")) for message in messages[2:]] == [
        ("f1", "1"),
        ("f2", "2"),
        ("f1", None),
    ]


def test_merged_assistant_messages_keep_their_reasoning():
    messages = [{"role": "assistant", "content": text, "reasoning_content": f"why {text}"} for text in "ab"]
    assert normalize(messages) == [
        {"role": "assistant", "content": "a\n\nb", "reasoning_content": "why a\n\nwhy b"},
    ]
