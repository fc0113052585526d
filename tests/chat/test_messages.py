"""normalize: OpenAI's messages in the shapes that templates know."""

from inference.chat.messages import fold_system, normalize

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


def test_fold_system_puts_it_in_front_of_the_first_user_message():
    system = {"role": "system", "content": "Be kind."}
    assert fold_system([system, USER]) == [{"role": "user", "content": "Be kind.\n\nHi"}]
    assert fold_system([system]) == [{"role": "user", "content": "Be kind."}]
    assert fold_system([USER]) == [USER]
    assert fold_system([]) == []
