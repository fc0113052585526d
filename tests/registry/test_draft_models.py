import pytest
from django.core.exceptions import ValidationError

from registry.draft_models import refuse_unfit_draft
from registry.gguf import GGUFError
from registry.models import RegisteredModel
from tests.gguf_files import write_gguf
from tests.live_server import DEMO

TOKENS = ("<s>", "</s>", "<unk>", "<pad>", "<x>", "a", "b", "c")


def write(path, tokens=TOKENS, architecture="llama", *, tokenizer="gpt2", **numbers):
    def fill(writer):
        writer.add_tokenizer_model(tokenizer)
        for key, value in numbers.items():
            (writer.add_bool if key.startswith("add") else writer.add_uint32)(f"tokenizer.ggml.{key}", value)

    return write_gguf(path, architecture, tokens=tokens, fill=fill)


@pytest.fixture
def refusal(tmp_path):
    """Why a draft model cannot guess for the model; "" if it can. `model` and `draft` are what the files hold."""

    def refusal(draft, model=None):
        paths = write(tmp_path / "model.gguf", **(model or {})), write(tmp_path / "draft.gguf", **draft)
        try:
            refuse_unfit_draft(*paths)
        except GGUFError as error:
            return str(error).removeprefix(f"{paths[1]} cannot draft for this model: ")
        return ""

    return refusal


@pytest.mark.parametrize(
    "draft",
    [
        {},
        {"architecture": "qwen3"},
        {"tokens": (*TOKENS, *(f"unused {number}" for number in range(128)))},
        {"tokens": ("other", "control", "tokens", "are", "here", *TOKENS[5:])},
        {"add_bos_token": False},
    ],
)
def test_the_same_vocabulary_fits(refusal, draft):
    assert refusal(draft) == ""


@pytest.mark.parametrize(
    ("draft", "model", "reason"),
    [
        ({"tokenizer": "llama"}, {}, "its tokenizer is 'llama', the model's is 'gpt2'."),
        ({"add_bos_token": True}, {}, "only the draft model adds BOS to its texts."),
        ({}, {"add_eos_token": True}, "only the model adds EOS to its texts."),
        ({"tokenizer": "llama", "add_bos_token": False}, {"tokenizer": "llama"},
         "only the model adds BOS to its texts."),
        ({"tokens": (*TOKENS, *(str(number) for number in range(129)))}, {},
         "it has 137 tokens, the model 8; they may differ by 128 at most."),
        ({"tokens": (*TOKENS[:6], "x", "c")}, {}, "token 6 is 'x', the model's is 'b'."),
    ],
)  # fmt: skip
def test_another_vocabulary_does_not(refusal, draft, model, reason):
    assert refusal(draft, model) == reason


def test_the_added_tokens_must_be_the_same_ones(tmp_path):
    def adds_bos(writer):
        writer.add_tokenizer_model("gpt2")
        writer.add_add_bos_token(True)

    def adds_another(writer):
        adds_bos(writer)
        writer.kv_data[0]["tokenizer.ggml.bos_token_id"].value = 2

    model = write_gguf(tmp_path / "model.gguf", tokens=TOKENS, fill=adds_bos)
    draft = write_gguf(tmp_path / "draft.gguf", tokens=TOKENS, fill=adds_another)
    with pytest.raises(GGUFError, match="its BOS token is 2, the model's is 0"):
        refuse_unfit_draft(model, draft)


def test_a_file_without_a_vocabulary_cannot_draft(tmp_path):
    def strip(writer):
        writer.add_tokenizer_model("gpt2")
        del writer.kv_data[0]["tokenizer.ggml.tokens"]

    with pytest.raises(GGUFError, match="holds no vocabulary"):
        refuse_unfit_draft(write(tmp_path / "model.gguf"), write_gguf(tmp_path / "draft.gguf", fill=strip))


def test_an_embedding_model_cannot_draft(tmp_path):
    with pytest.raises(GGUFError, match="its kind is 'embedding', expected 'chat'"):
        refuse_unfit_draft(write(tmp_path / "model.gguf"), write(tmp_path / "draft.gguf", architecture="bert"))


def test_a_diffusion_model_neither_drafts_nor_is_drafted_for(tiny_model):
    for model, draft in ((DEMO, tiny_model("diffusion")), (tiny_model("diffusion"), DEMO)):
        with pytest.raises(GGUFError, match=r"cannot draft for this model: .*diffusion\.gguf \(architecture llada\)"):
            refuse_unfit_draft(model, draft)


def test_the_demo_can_draft_for_itself():
    refuse_unfit_draft(DEMO, DEMO)


@pytest.mark.django_db
def test_a_registration_checks_its_draft_model(gguf, tmp_path):
    model = RegisteredModel(name="a", path=str(gguf), draft_model=str(tmp_path / "no.gguf"))
    with pytest.raises(ValidationError) as caught:
        model.full_clean()
    assert caught.value.message_dict == {"draft_model": [f"There is no file {tmp_path}/no.gguf."]}
    model.draft_model = str(gguf)
    model.full_clean()


@pytest.mark.django_db
def test_a_model_whose_file_is_gone_can_still_be_changed(registered, gguf):
    registered.draft_model = str(gguf)
    registered.full_clean()
    registered.save()
    gguf.unlink()
    RegisteredModel.objects.get().full_clean()
