import pytest

from registry.models import LoraAdapter, RegisteredModel
from registry.registration import RegistrationError, register
from tests.adapted_models import write_lora
from tests.gguf_files import write_gguf

pytestmark = pytest.mark.django_db


@pytest.fixture
def lora(tmp_path):
    return str(write_lora(tmp_path / "lora.gguf"))


def problems_of(*loras):
    with pytest.raises(RegistrationError) as caught:
        register("tiny", {"loras": loras}, {})
    return caught.value.problems


def test_adapters_are_kept_in_their_order(registered, lora, tmp_path):
    other = str(write_lora(tmp_path / "other.gguf"))
    model, outcome = register("tiny", {"loras": [(other, 0.5), (lora, 1.0)]}, {})
    assert outcome == "updated"
    assert [(adapter.path, adapter.scale) for adapter in model.loras.all()] == [(other, 0.5), (lora, 1.0)]
    assert str(model.loras.first()) == f"{other} × 0.5"


def test_the_list_replaces_the_one_before(registered, lora):
    register("tiny", {"loras": [(lora, 1.0)]}, {})
    assert register("tiny", {"loras": [(lora, 1.0)]}, {})[1] == "unchanged"
    assert register("tiny", {"parallel": 2}, {})[0].loras.count() == 1
    assert register("tiny", {"loras": [(lora, 2.0)]}, {})[1] == "updated"
    assert LoraAdapter.objects.get().scale == 2
    register("tiny", {"loras": []}, {})
    assert not LoraAdapter.objects.exists()


def test_a_missing_file_is_refused(registered, tmp_path):
    assert problems_of((f"{tmp_path}/no.gguf", 1.0)) == [f"loras: There is no file {tmp_path}/no.gguf."]


def test_a_model_is_no_adapter(registered, gguf):
    expected = f"loras: {gguf} is no adapter: its general.type is 'model', expected 'adapter'."
    assert problems_of((str(gguf), 1.0)) == [expected]


def test_an_adapter_of_another_kind_is_refused(registered, tmp_path):
    path = write_lora(tmp_path / "control.gguf", adapter="control_vector")
    expected = f"loras: {path} does not fit this model: its adapter.type is 'control_vector', expected 'lora'."
    assert problems_of((str(path), 1.0)) == [expected]


def test_an_adapter_for_another_architecture_is_refused(registered, tmp_path):
    path = write_lora(tmp_path / "other.gguf", "qwen3")
    expected = f"loras: {path} does not fit this model: its general.architecture is 'qwen3', expected 'llama'."
    assert problems_of((str(path), 1.0)) == [expected]


def test_another_file_must_fit_the_adapters_that_stay(registered, lora, tmp_path):
    register("tiny", {"loras": [(lora, 1.0)]}, {})
    path = str(write_gguf(tmp_path / "other.gguf", "qwen3"))
    with pytest.raises(RegistrationError, match="does not fit this model"):
        register("tiny", {"path": path}, {})
    assert RegisteredModel.objects.get().architecture == "llama"
    assert register("tiny", {"path": path, "loras": []}, {})[1] == "updated"


@pytest.mark.parametrize(("scale", "reason"), [(float("nan"), "finite number"), (float("inf"), "finite number")])
def test_a_scale_is_a_number(registered, lora, scale, reason):
    assert reason in problems_of((lora, scale))[0]


def test_a_wrong_adapter_leaves_the_others(registered, lora, tmp_path):
    register("tiny", {"loras": [(lora, 1.0)]}, {})
    problems_of((f"{tmp_path}/no.gguf", 1.0))
    assert LoraAdapter.objects.get().path == lora
