"""manage.py create_key, revoke_key and list_keys"""

from datetime import datetime, timezone
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from access.models import APIKey, Priority, digest_of
from registry.models import Preset, RegisteredModel

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def model():
    model = RegisteredModel.objects.create(name="demo", path="demo.gguf")
    Preset.objects.create(name="demo-fast", model=model)
    return model


def test_a_key_is_printed_alone_and_works():
    text = run("create_key", "--name", "bot").strip()
    key = APIKey.objects.get(digest=digest_of(text))
    assert (key.name, key.all_models, key.is_admin, key.expires_at) == ("bot", True, False, None)


def test_a_key_with_everything(model):
    run(
        *("create_key", "--name", "bot", "--models", "demo, demo-fast", "--admin", "--expires", "2099-12-31"),
        *("--priority", "high", "--requests-per-minute", "60", "--tokens-per-minute", "1000"),
        *("--tokens-per-day", "5000", "--max-concurrent", "2"),
    )
    key = APIKey.objects.get()
    assert key.allowed_names() == {"demo", "demo-fast"}
    assert not key.all_models
    assert (key.is_admin, key.priority) == (True, Priority.HIGH)
    assert key.expires_at == datetime(2099, 12, 31, tzinfo=timezone.utc)
    limits = (key.requests_per_minute, key.tokens_per_minute, key.tokens_per_day, key.max_concurrent)
    assert limits == (60, 1000, 5000, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "demo,nobody"], "no model or preset is named nobody"),
        (["--models", ","], "expected names separated by commas"),
        (["--expires", "soon"], "expected a date like 2030-12-31"),
        (["--expires", "2020-01-01"], "2020-01-01 is over"),
        (["--expires", "2099-02-30"], "expected a date"),
        (["--requests-per-minute", "0"], "--requests-per-minute: Ensure this value is greater than or equal to 1"),
        (["--priority", "urgent"], "invalid choice: 'urgent'"),
    ],
)
def test_what_makes_no_key_is_named(model, arguments, message):
    with pytest.raises(CommandError, match=message):
        run("create_key", "--name", "bot", *arguments)
    assert not APIKey.objects.exists()


def test_a_key_is_revoked_by_its_prefix():
    key, text = APIKey.create("bot")
    assert run("revoke_key", key.prefix) == f"bot ({key.prefix}…): revoked\n"
    with pytest.raises(CommandError, match="is revoked already, since"):
        run("revoke_key", text)


@pytest.mark.parametrize(("prefix", "count"), [("sk-unknown0", 0), ("sk-twice000", 2)])
def test_only_the_one_key_that_is_meant_is_revoked(prefix, count):
    for number in range(count):
        APIKey.objects.create(name=f"{number}", prefix=prefix, digest=f"{number}")
    with pytest.raises(CommandError, match=f"begin(s)? with {prefix}"):
        run("revoke_key", prefix)
    assert not APIKey.objects.exclude(revoked_at=None).exists()


def test_the_list(model):
    assert "There are no API keys" in run("list_keys")
    key, _ = APIKey.create("bot", is_admin=True, all_models=False, requests_per_minute=60)
    key.allowed_models.add(model)
    APIKey.create("old")[0].revoke()
    [heading, old, bot] = run("list_keys").splitlines()
    assert heading.split()[:4] == ["KEY", "NAME", "STATE", "MODELS"]
    assert old.split()[2:] == ["revoked", "all", "-", "never"]
    assert bot.split() == [key.prefix, "bot", "(admin)", "active", "demo", "60", "requests/min", "never"]
