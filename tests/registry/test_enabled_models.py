"""EnabledModels: what is kept between requests, and for how long."""

import sqlite3
from pathlib import Path

import pytest

from registry.enabled_models import EnabledModels, SqliteVersion
from registry.models import Preset, RegisteredModel
from tests.live_server import DEMO, LiveServer

SQLITE = "django.db.backends.sqlite3"


@pytest.fixture
def demo(transactional_db: None) -> RegisteredModel:
    return RegisteredModel.objects.create(name="demo", path=str(DEMO))


async def test_a_model_is_kept_as_long_as_nothing_changes(demo):
    models = EnabledModels(lambda: 1)
    assert await models.get("demo") is await models.get("demo")


async def test_it_is_read_again_after_a_change(demo):
    versions = iter([1, 2, 2])
    models = EnabledModels(lambda: next(versions))
    first = await models.get("demo")
    await RegisteredModel.objects.aupdate(parallel=3)
    assert first.registration.parallel != 3
    assert (await models.get("demo")).registration.parallel == 3
    assert (await models.get("demo")).registration.parallel == 3


async def test_a_preset_is_found_by_its_name_with_all_that_it_needs_and_kept(demo):
    await Preset.objects.acreate(name="cool", model=demo, temperature=0.1)
    models = EnabledModels(lambda: 1)
    served = await models.get("cool")
    assert (served.name, served.registration.name, served.defaults.temperature) == ("cool", "demo", 0.1)
    assert await models.get("cool") is served


@pytest.mark.parametrize("table", [Preset, RegisteredModel])
async def test_a_disabled_preset_or_one_of_a_disabled_model_is_not_found(demo, table):
    await Preset.objects.acreate(name="cool", model=demo)
    await table.objects.aupdate(enabled=False)
    with pytest.raises(RegisteredModel.DoesNotExist):
        await EnabledModels(lambda: 1).get("cool")


async def test_without_a_version_every_look_is_a_query(demo):
    models = EnabledModels(lambda: None)
    assert await models.get("demo") is not await models.get("demo")


async def test_a_disabled_model_is_forgotten(demo):
    versions = iter([1, 2])
    models = EnabledModels(lambda: next(versions))
    await models.get("demo")
    await RegisteredModel.objects.aupdate(enabled=False)
    with pytest.raises(RegisteredModel.DoesNotExist):
        await models.get("demo")


async def test_what_was_read_while_something_changed_is_not_kept(demo):
    """The version is read first: what a query then finds may be newer, never older."""
    versions = iter([1, 2])
    models = EnabledModels(lambda: next(versions))
    assert await models.get("demo") is not await models.get("demo")


def test_commits_of_others_change_the_version(tmp_path: Path):
    path = tmp_path / "db.sqlite3"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (x)")
    version = SqliteVersion(lambda: {"ENGINE": SQLITE, "NAME": str(path)})
    before = version()
    assert version() == before
    other.execute("INSERT INTO t VALUES (1)")
    assert version() == before
    other.commit()
    assert version() != before
    other.close()


@pytest.mark.parametrize(
    "settings",
    [
        {"ENGINE": "django.db.backends.postgresql", "NAME": "llmsite"},
        {"ENGINE": SQLITE, "NAME": "file:memorydb_default?mode=memory&cache=shared"},
    ],
)
def test_other_databases_have_no_version(settings):
    assert SqliteVersion(lambda: settings)() is None


def test_what_another_process_changes_holds_for_the_next_request(server: LiveServer, openai_client):
    def completion_tokens(limit: int) -> int:
        options = ("--name", "limited", "--max-tokens", str(limit))
        assert server.manage("register_model", str(DEMO), *options).returncode == 0
        answer = openai_client.chat.completions.create(
            model="limited",
            messages=[{"role": "user", "content": "Count to 9."}],
            extra_body={"keep_alive": 0},
        )
        return answer.usage.completion_tokens

    assert [completion_tokens(limit) for limit in (2, 3, 1)] == [2, 3, 1]
    server.wait_for("'limited' not in names")
