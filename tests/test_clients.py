"""Whose request it is: what keeps one sender's many requests from shutting out another's."""

from django.test import RequestFactory

from inference.clients import client_of


def client(**headers: str) -> str:
    return client_of(RequestFactory().get("/", headers=headers))


def test_an_api_key_names_its_client_and_is_not_in_the_name():
    assert client(Authorization="Bearer secret-1") == client(Authorization="Bearer secret-1")
    assert client(Authorization="Bearer secret-1") != client(Authorization="Bearer secret-2")
    assert "secret" not in client(Authorization="Bearer secret-1")


def test_without_a_key_all_are_one():
    assert client() == ""
