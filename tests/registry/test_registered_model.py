import os
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from llmsite.config import PROJECT_ROOT
from registry.models import GenerationDefaults, RegisteredModel
from tests.gguf_files import CHAT_TEMPLATE, write_gguf

pytestmark = pytest.mark.django_db


def errors_of(model):
    with pytest.raises(ValidationError) as caught:
        model.full_clean()
    return caught.value.message_dict


def test_cleaning_reads_the_file(gguf):
    model = RegisteredModel(name="a", path=str(gguf))
    model.full_clean()
    assert (model.architecture, model.parameter_count, model.trained_context) == ("llama", 256, 512)
    assert model.inspected_at is not None


def test_a_file_that_is_no_use_is_an_error_on_the_path(tmp_path):
    model = RegisteredModel(name="a", path=str(tmp_path / "missing.gguf"))
    assert errors_of(model) == {"path": [f"There is no file {tmp_path}/missing.gguf."]}


def test_a_path_is_required():
    assert list(errors_of(RegisteredModel(name="a", path=""))) == ["path"]


def test_the_file_is_not_read_again_without_reason(registered):
    model = RegisteredModel.objects.get()
    inspected_at = model.inspected_at
    model.full_clean()
    assert model.inspected_at == inspected_at


def test_a_model_whose_file_is_gone_can_still_be_changed(registered, gguf):
    gguf.unlink()
    model = RegisteredModel.objects.get()
    model.enabled = False
    model.full_clean()


def test_another_path_is_read(registered, tmp_path):
    model = RegisteredModel.objects.get()
    model.path = str(write_gguf(tmp_path / "other.gguf", "qwen3"))
    model.full_clean()
    assert model.architecture == "qwen3"


def test_a_changed_file_is_read_again(registered, gguf):
    write_gguf(gguf, "qwen3")
    os.utime(gguf, (1, 1))
    model = RegisteredModel.objects.get()
    assert model.needs_inspection
    model.full_clean()
    assert model.architecture == "qwen3"


def test_a_context_over_the_trained_one_is_refused_with_both_numbers(gguf):
    errors = errors_of(RegisteredModel(name="a", path=str(gguf), ctx_size=513))
    assert errors == {"ctx_size": ["513 is more than the 512 tokens that the model was trained for."]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "-a"), ("name", "a b"), ("name", "a\n"), ("name", "x" * 257),
        ("ctx_size", 127), ("parallel", 0), ("parallel", 65), ("gpu_layers", -2), ("threads", 0), ("threads", 513),
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(gguf, field, value):
    assert list(errors_of(RegisteredModel(**{"name": "a", "path": str(gguf), field: value}))) == [field]


@pytest.mark.parametrize("name", ["a", "org/Model-7B_v1.5:latest@q8+x", "7b"])
def test_names_that_clients_send_are_allowed(gguf, name):
    RegisteredModel(name=name, path=str(gguf)).full_clean()


def test_names_are_unique(registered, gguf):
    with pytest.raises(IntegrityError):
        RegisteredModel(name="tiny", path=str(gguf)).save()


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% if x %}\n\n{% for %}", "Line 3 of the template: Expected an expression, got 'end of statement block'"),
        ("\n{{ x | no_such_filter }}", "Line 2 of the template: No filter named 'no_such_filter'."),
    ],
)
def test_a_template_that_does_not_compile_is_refused_with_the_line(gguf, template, reason):
    errors = errors_of(RegisteredModel(name="a", path=str(gguf), chat_template_override=template))
    assert errors == {"chat_template_override": [reason]}


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}{% break %}{% endfor %}",
        "{% generation %}{{ m }}{% endgeneration %}",
        "{% do messages.append(m) %}",
    ],
)
def test_templates_may_use_what_hugging_face_adds_to_jinja(gguf, template):
    RegisteredModel(name="a", path=str(gguf), chat_template_override=template).full_clean()


def test_the_override_goes_before_the_template_of_the_file(registered):
    assert registered.effective_chat_template == CHAT_TEMPLATE
    registered.chat_template_override = "mine"
    assert registered.effective_chat_template == "mine"


@pytest.mark.parametrize(
    ("ctx_size", "trained", "expected"), [(None, 512, 512), (None, 131072, 8192), (None, None, 4096), (256, 512, 256)]
)
def test_the_context_length_is_chosen(ctx_size, trained, expected):
    assert RegisteredModel(ctx_size=ctx_size, trained_context=trained).context_length == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("models/a.gguf", PROJECT_ROOT / "models" / "a.gguf"), ("/a.gguf", "/a.gguf"), ("~/a.gguf", "~/a.gguf")],
)
def test_paths_start_in_the_project(path, expected):
    assert str(RegisteredModel(path=path).resolved_path) == str(Path(expected).expanduser())


def test_a_model_always_has_defaults(registered):
    assert registered.defaults.temperature == 0.8
    registered.save()
    assert GenerationDefaults.objects.count() == 1


def test_the_api_gets_an_enabled_model_with_all_that_belongs_to_it(registered, django_assert_num_queries):
    with django_assert_num_queries(2):
        model = RegisteredModel.objects.for_api("tiny")
    with django_assert_num_queries(0):
        assert model.defaults.top_k == 40
        assert not model.loras.all()


def test_the_api_gets_no_disabled_model(registered):
    RegisteredModel.objects.update(enabled=False)
    assert not RegisteredModel.objects.enabled().exists()
    with pytest.raises(RegisteredModel.DoesNotExist):
        RegisteredModel.objects.for_api("tiny")


def test_the_home_of_nobody_is_no_crash():
    assert errors_of(RegisteredModel(name="a", path="~no-such-user/a.gguf"))["path"][0].startswith("There is no file")


def test_a_deferred_model_can_be_loaded(registered):
    assert str(RegisteredModel.objects.only("name").get()) == "tiny"
