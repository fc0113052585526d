import os

from django.core.checks import run_checks
from django.db import connection

from registry.checks import check_model_files
from registry.models import RegisteredModel


def ids(**kwargs):
    return [message.id for message in check_model_files(**kwargs)]


def test_the_database_is_left_alone_unless_it_is_asked_for(registered, gguf):
    gguf.unlink()
    assert ids() == ids(databases=["other"]) == []
    assert "registry.W001" not in [message.id for message in run_checks()]


def test_a_model_whose_file_is_there_is_fine(registered):
    assert ids(databases=["default"]) == []


def test_it_asks_the_database_once_for_all_models(registered, django_assert_num_queries):
    with django_assert_num_queries(2):  # the names of the tables, the models
        ids(databases=["default"])


def test_a_file_that_is_gone_is_a_warning(registered, gguf):
    gguf.unlink()
    [warning] = [message for message in run_checks(databases=["default"]) if message.id == "registry.W001"]
    assert warning.msg == f"The file of the model tiny is gone: {gguf}."


def test_a_file_that_was_changed_is_a_warning(registered, gguf):
    os.utime(gguf, (1, 1))
    assert ids(databases=["default"]) == ["registry.W002"]


def test_disabled_models_are_not_checked(registered, gguf):
    gguf.unlink()
    RegisteredModel.objects.update(enabled=False)
    assert ids(databases=["default"]) == []


def test_a_database_without_tables_is_fine(registered, gguf, monkeypatch):
    gguf.unlink()
    monkeypatch.setattr(connection.introspection, "table_names", list)
    assert ids(databases=["default"]) == []
