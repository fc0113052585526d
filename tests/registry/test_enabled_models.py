"""EnabledModels: what is kept between requests, and for how long."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.enabled_models import WATCHED, EnabledModels
from registry.models import Preset, RegisteredModel
from registry.table_versions import _watched
from tests.live_server import DEMO, LiveServer


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


def test_all_that_is_kept_is_watched(db):
    RegisteredModel.objects.create(name="demo", path=str(DEMO))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        RegisteredModel.objects.for_api("demo")
    tables = {table for query in queries for table in re.findall(r'(?:FROM|JOIN) "(\w+)"', query["sql"])}
    assert len(tables) >= 3
    assert tables <= {model._meta.db_table for model in _watched[WATCHED]}


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
