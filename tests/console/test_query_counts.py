"""Lists take the same number of queries however many rows there are."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import APIKey
from registry.models import GenerationDefaults, Preset, RegisteredModel
from tests.usage.rows import row
from usage.models import RequestLog


def make_models(count: int) -> list[RegisteredModel]:
    first = RegisteredModel.objects.count()
    rows = (RegisteredModel(name=f"m-{first + number}", path="m.gguf") for number in range(count))
    models = RegisteredModel.objects.bulk_create(rows)
    GenerationDefaults.objects.bulk_create(GenerationDefaults(model=model) for model in models)
    return models


def make_presets(count: int) -> None:
    Preset.objects.bulk_create(Preset(name=f"{model}-preset", model=model) for model in make_models(count))


def make_keys(count: int) -> None:
    for number, model in enumerate(make_models(count)):
        APIKey.create(f"key-{number}", all_models=False)[0].allowed_models.add(model)


def make_requests(count: int) -> None:
    first = RequestLog.objects.count()
    keys = [APIKey.create(f"key-{first + number}")[0] for number in range(count)]
    rows = (row(request_id=f"r{first + n}", key=key, key_prefix=key.prefix) for n, key in enumerate(keys))
    RequestLog.objects.bulk_create(rows)


@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("registry/registeredmodel", make_models),
        ("registry/preset", make_presets),
        ("access/apikey", make_keys),
        ("usage/requestlog", make_requests),
    ],
)
def test_a_list_takes_as_many_queries_for_2_rows_as_for_200(admin_client, path, make):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page = admin_client.get(f"/admin/{path}/")
        assert page.status_code == 200
        return len(captured)

    make(2)
    queries()  # the first page reads what is kept, such as content types
    few = queries()
    make(198)
    assert queries() == few
