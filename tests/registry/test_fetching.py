"""The client for URLs that somebody else has chosen."""

import httpx
import httpx2
import pytest

from registry.addresses import AddressGuard
from registry.fetching import Bounds, FetchRefused, GuardedTransport, guarded_client

BOUNDS = Bounds(max_bytes=1000)
PUBLIC = "93.184.216.34"


def loopback(host, port):
    """The names of these tests are all this machine's."""
    return ["127.0.0.1"] if host.endswith((".test", "127.0.0.1")) else ["10.0.0.1"]


@pytest.fixture
def fetch(file_server):
    """A function that gets a path of the server under an allowed name."""

    def fetch(path, bounds=BOUNDS, **options):
        guard = AddressGuard(["files.test"], resolve=loopback)
        with guarded_client(guard, bounds, **options) as client:
            return client.get(f"http://files.test:{file_server.server.server_port}{path}")

    return fetch


def test_an_allowed_host_is_asked_under_its_name(fetch, file_server):
    file_server.add("/a", b"hello")
    assert fetch("/a").content == b"hello"
    host = f"files.test:{file_server.server.server_port}"
    assert file_server.header_of_requests("Host") == [host]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/a",
        "http://evil.test:{port}/a",
        "http://[::ffff:127.0.0.1]:{port}/a",
        "http://2130706433:{port}/a",
    ],
)
def test_a_redirect_to_a_private_address_is_refused(fetch, file_server, location):
    file_server.add("/a", b"secret")
    file_server.redirects["/b"] = (location.format(port=file_server.server.server_port), {})
    with pytest.raises(FetchRefused, match="is not allowed"):
        fetch("/b")
    assert [path for _, path, _ in file_server.requests] == ["/b"]


def test_a_redirect_to_another_scheme_is_refused(fetch, file_server):
    file_server.redirects["/b"] = ("file:///etc/passwd", {})
    with pytest.raises((FetchRefused, httpx.UnsupportedProtocol)):
        fetch("/b")


def test_redirects_do_not_go_on_for_ever(fetch, file_server):
    file_server.redirects["/b"] = ("/b", {})
    with pytest.raises(httpx.TooManyRedirects):
        fetch("/b")


def test_a_name_that_changes_after_the_check_changes_nothing():
    answers = [[PUBLIC], ["127.0.0.1"]]
    transport = GuardedTransport(AddressGuard(resolve=lambda host, port: answers.pop(0)), BOUNDS)
    sent = []
    transport.transport = httpx.MockTransport(lambda request: sent.append(request) or httpx.Response(200))
    with httpx.Client(transport=transport) as client:
        client.get("https://rebinding.example/a")
        assert (sent[0].url.host, sent[0].headers["host"]) == (PUBLIC, "rebinding.example")
        assert sent[0].extensions["sni_hostname"] == "rebinding.example"
        with pytest.raises(FetchRefused, match="its address 127"):
            client.get("https://rebinding.example/a")
    assert len(sent) == 1


def test_the_next_address_is_tried_when_one_does_not_answer(file_server):
    file_server.add("/a", b"hello")
    guard = AddressGuard(["files.test"], resolve=lambda host, port: ["127.0.0.2", "127.0.0.1"])
    with guarded_client(guard, BOUNDS) as client:
        assert client.get(f"http://files.test:{file_server.server.server_port}/a").content == b"hello"


def test_a_name_that_nobody_knows_is_a_connection_error():
    def unknown(host, port):
        raise OSError("Name or service not known")

    with (
        guarded_client(AddressGuard(resolve=unknown), BOUNDS) as client,
        pytest.raises(httpx.ConnectError, match="not known"),
    ):
        client.get("http://nowhere.example/")


def test_no_proxy_of_the_environment_is_used(fetch, file_server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    file_server.add("/a", b"hello")
    assert fetch("/a").content == b"hello"


def test_what_says_that_it_is_too_large_is_refused(fetch, file_server):
    file_server.add("/a?token=secret", b"x" * 1001)
    with pytest.raises(FetchRefused, match=r"files\.test:\d+/a has 1001 B, at most 1000 B are allowed"):
        fetch("/a?token=secret")


def test_what_becomes_too_large_is_refused(fetch, file_server):
    file_server.add("/a", b"x" * 1001, has_length=False)
    with pytest.raises(FetchRefused, match="goes on, at most 1000 B"):
        fetch("/a")


def test_a_packed_answer_is_refused(fetch, file_server):
    file_server.add("/a", b"x", headers={"Content-Encoding": "gzip"})
    with pytest.raises(FetchRefused, match="it is packed"):
        fetch("/a")
    assert file_server.header_of_requests("Accept-Encoding") == ["identity"]


def test_other_types_are_refused(fetch, file_server):
    file_server.add("/a", b"<html>", content_type="text/html; charset=utf-8")
    with pytest.raises(FetchRefused, match="says that it is text/html"):
        fetch("/a", Bounds(1000, types=("application/*",)))


def chunks_of(times, bounds):
    """Read an answer whose chunks come at these times."""
    moments = iter(times)
    transport = GuardedTransport(AddressGuard(resolve=lambda *_: [PUBLIC]), bounds, clock=lambda: next(moments))
    transport.transport = httpx.MockTransport(
        lambda request: httpx.Response(200, content=iter([b"x" * 10] * (len(times) - 1)))
    )
    with httpx.Client(transport=transport) as client:
        return client.get("https://slow.example/a").content


def test_what_takes_too_long_is_refused():
    assert len(chunks_of([0, 5, 10], Bounds(1000, max_seconds=10))) == 20
    with pytest.raises(FetchRefused, match="takes longer than the 10 s"):
        chunks_of([0, 5, 11], Bounds(1000, max_seconds=10))


def test_what_trickles_is_refused():
    bounds = Bounds(1000, min_speed=1, speed_window=10)
    assert len(chunks_of([0, 9, 10, 19, 20], bounds)) == 40
    with pytest.raises(FetchRefused, match="comes with less than 1 B/s"):
        chunks_of([0, 9, 10, 25], bounds)


def test_the_hubs_library_is_guarded_the_same_way(file_server):
    file_server.add("/a", b"hello")
    port = file_server.server.server_port
    transport = GuardedTransport(AddressGuard(["files.test"], resolve=loopback), BOUNDS, httpx2)
    with httpx2.Client(transport=transport, follow_redirects=True) as client:
        assert client.get(f"http://files.test:{port}/a").content == b"hello"
        file_server.redirects["/b"] = (f"http://127.0.0.1:{port}/a", {})
        with pytest.raises(FetchRefused):
            client.get(f"http://files.test:{port}/b")
