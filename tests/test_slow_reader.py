"""A client that does not read its stream: the answer goes on, and what it has missed comes in one large chunk."""

import json
import socket
from http.client import HTTPConnection

BODY = {
    "model": "demo",
    "messages": [{"role": "user", "content": "Count to 30."}],
    "temperature": 0,
    "max_tokens": 600,
    "ignore_eos": True,
    "logprobs": True,
    "top_logprobs": 20,  # 1.5 KB a token
    "stream": True,
    "stream_options": {"include_usage": True},
}


def test_a_reader_that_pauses_gets_the_rest_in_one_chunk(server):
    connection = HTTPConnection("127.0.0.1", server.port)
    with slow_socket(server.port) as connection.sock:
        connection.request("POST", "/v1/chat/completions", json.dumps(BODY), {"Content-Type": "application/json"})
        server.wait_for("running == 1", timeout=60)
        server.wait_for("running == 0", timeout=120)
        text = connection.getresponse().read().decode()
    chunks = [json.loads(event[6:]) for event in text.split("\n\n") if event.startswith("data: {")]
    choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    tokens = [choice["logprobs"]["content"] for choice in choices if choice.get("logprobs")]
    answer = "".join(choice["delta"].get("content", "") for choice in choices)
    assert answer == "".join(token["token"] for each in tokens for token in each)
    assert chunks[-1]["usage"]["completion_tokens"] == BODY["max_tokens"]
    assert max(map(len, tokens)) > 100


def slow_socket(port: int) -> socket.socket:
    """Connect with small packets and little room for them: the server waits after some 100 KB rather than 2 MB."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    client.settimeout(60)
    client.connect(("127.0.0.1", port))
    return client
