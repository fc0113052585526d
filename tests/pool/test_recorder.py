"""DatabaseRecorder: what the pool finds out stands on the registration and counts the next time."""

import pytest

from inference.memory import Memory
from inference.pool.failures import FailureNote
from inference.recorder import DatabaseRecorder
from inference.specs import model_spec
from registry.models import Observation, RegisteredModel
from tests.live_server import DEMO

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demo(transactional_db):
    return RegisteredModel.objects.create(name="demo", path=str(DEMO))


@pytest.fixture
def spec(demo):
    return model_spec(demo)


def note(spec, message: str) -> FailureNote:
    return FailureNote(message, ("W one", "E two"), 1_800_000_000.0, 0.0, 1, spec.config, None)


async def test_a_measurement_counts_for_the_same_configuration(demo, spec):
    recorder = DatabaseRecorder()
    recorder.measured(spec, Memory(5000, (7,)))
    await recorder.flush()

    def measured(**settings) -> Memory | None:
        RegisteredModel.objects.filter(pk=demo.pk).update(**settings)
        return model_spec(RegisteredModel.objects.get(pk=demo.pk)).measured

    from asgiref.sync import sync_to_async

    assert await sync_to_async(measured)(pinned=True) == Memory(5000, (7,))
    assert await sync_to_async(measured)(parallel=2) is None


async def test_only_what_is_larger_is_written(spec):
    recorder = DatabaseRecorder()
    for host in (5000, 5100, 4000, 6000):
        recorder.measured(spec, Memory(host))
        await recorder.flush()
        observation = await Observation.objects.aget()
        assert observation.measured_host == (6000 if host == 6000 else 5000)


async def test_a_gpu_counts_as_well(spec):
    recorder = DatabaseRecorder()
    recorder.measured(spec, Memory(5000, (7,)))
    recorder.measured(spec, Memory(5000, (9,)))
    await recorder.flush()
    assert (await Observation.objects.aget()).measured_devices == [9]


async def test_an_error_stands_until_the_model_is_loaded(spec):
    recorder = DatabaseRecorder()
    recorder.failed(spec, note(spec, "no memory"))
    await recorder.flush()
    observation = await Observation.objects.aget()
    assert (observation.error, observation.error_log) == ("no memory", "W one\nE two")
    assert observation.error_at.year == 2027
    recorder.loaded(spec)
    await recorder.flush()
    await observation.arefresh_from_db()
    assert (observation.error, observation.error_log, observation.error_at) == ("", "", None)


async def test_loading_writes_nothing_if_there_was_no_error(spec):
    recorder = DatabaseRecorder()
    recorder.loaded(spec)
    await recorder.flush()
    assert not await Observation.objects.aexists()


async def test_a_model_that_is_gone_needs_no_notes(demo, spec):
    await demo.adelete()
    recorder = DatabaseRecorder()
    recorder.failed(spec, note(spec, "no memory"))
    await recorder.flush()
    assert not await Observation.objects.aexists()


async def test_a_database_that_cannot_be_written_is_logged(spec, monkeypatch, caplog):
    from django.db import OperationalError

    def locked(*_, **__):
        raise OperationalError("database is locked")

    monkeypatch.setattr(Observation.objects, "update_or_create", locked)
    recorder = DatabaseRecorder()
    recorder.failed(spec, note(spec, "no memory"))
    await recorder.flush()
    assert "what was found out about demo could not be written: database is locked" in caplog.text
