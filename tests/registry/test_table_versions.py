"""Whether tables have changed, as SQLite's triggers count it."""

import sqlite3

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from registry.enabled_models import WATCHED
from registry.models import GenerationDefaults, RegisteredModel, TableVersion
from registry.table_versions import SqliteVersion
from tests import live_server
from tests.live_server import DEMO

SQLITE = "django.db.backends.sqlite3"

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases have no triggers of ours")


def number() -> int:
    return TableVersion.objects.get(name=WATCHED).number


def test_each_kind_of_change_counts(db):
    seen = [number()]
    RegisteredModel.objects.create(name="demo", path=str(DEMO))
    seen.append(number())
    RegisteredModel.objects.update(parallel=2)
    seen.append(number())
    GenerationDefaults.objects.update(top_k=1)
    seen.append(number())
    RegisteredModel.objects.all().delete()
    seen.append(number())
    assert seen == sorted(set(seen))


def test_other_tables_do_not_count(db):
    before = number()
    get_user_model().objects.create_user("somebody")
    assert number() == before


def test_commits_of_other_processes_are_seen(tmp_path):
    live_server.set_up(tmp_path)
    path = str(tmp_path / live_server.DATABASE)
    version = SqliteVersion(WATCHED, lambda: {"ENGINE": SQLITE, "NAME": path})
    before = version()
    assert version() == before is not None
    with sqlite3.connect(path) as other:
        other.execute("UPDATE registry_registeredmodel SET parallel = 2")
        assert version() == before
    assert version() != before
    other.close()


def test_a_locked_file_has_no_version(tmp_path):
    path = str(tmp_path / "db.sqlite3")
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE registry_tableversion (name, number)")
        other.execute("INSERT INTO registry_tableversion VALUES ('registrations', 3)")
    version = SqliteVersion(WATCHED, lambda: {"ENGINE": SQLITE, "NAME": path})
    assert version() == 3
    other.execute("BEGIN EXCLUSIVE")
    assert version() is None
    other.close()


@pytest.mark.parametrize(
    "settings",
    [
        {"ENGINE": "django.db.backends.postgresql", "NAME": "llmsite"},
        {"ENGINE": SQLITE, "NAME": "file:memorydb_default?mode=memory&cache=shared"},
    ],
)
def test_other_databases_have_no_version(settings):
    assert SqliteVersion(WATCHED, lambda: settings)() is None
