"""Whose request it is: what keeps one sender's many requests from shutting out another's."""

import pytest

from access.identity import ANYBODY, Identity, identity_of, unknown
from access.models import APIKey, Priority
from registry.models import Preset, RegisteredModel


def test_a_text_names_its_client_and_is_not_in_the_name():
    assert unknown("Bearer secret-1") == unknown("Bearer secret-1")
    assert unknown("Bearer secret-1").client != unknown("Bearer secret-2").client
    assert "secret" not in unknown("Bearer secret-1").client


def test_without_a_text_all_are_one():
    assert unknown("") is ANYBODY
    assert ANYBODY.client == ""


def test_everything_exists_for_a_key_without_a_choice():
    assert Identity().may_use("anything")
    assert not Identity(names=frozenset()).may_use("anything")


@pytest.mark.django_db
def test_a_key_says_what_its_owner_may_do(django_assert_num_queries):
    models = [RegisteredModel.objects.create(name=name, path=f"{name}.gguf") for name in ("a", "b")]
    preset = Preset.objects.create(name="b-fast", model=models[1])
    key, _ = APIKey.create("x", is_admin=True, all_models=False, requests_per_minute=3, priority=Priority.HIGH)
    key.allowed_models.add(models[0])
    key.allowed_presets.add(preset)
    with django_assert_num_queries(1):
        identity = identity_of(key)
    assert identity.names == {"a", "b-fast"}
    assert (identity.key_id, identity.prefix, identity.is_admin) == (key.pk, key.prefix, True)
    assert (identity.limits.requests_per_minute, identity.limits.tokens_per_day) == (3, None)
    assert identity.priority > Identity().priority
    assert type(identity.priority) is type(Identity().priority) is int


@pytest.mark.django_db
def test_the_choice_does_not_matter_where_all_models_are_allowed(django_assert_num_queries):
    key, _ = APIKey.create("x")
    with django_assert_num_queries(0):
        assert identity_of(key).names is None
