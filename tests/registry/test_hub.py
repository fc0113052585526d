import huggingface_hub
import pytest
from huggingface_hub.utils._http import default_client_factory

from registry.addresses import AddressGuard
from registry.download_sources import DownloadError, resolve_source
from registry.hub import HubFile, HubModel, list_models, use_guarded_client
from tests.registry.hub_server import COMMIT, HubServer, use_hub


@pytest.fixture
def hub(file_server, monkeypatch):
    use_hub(monkeypatch, file_server.url)
    return HubServer(file_server)


def test_the_models_of_a_repository_are_listed(hub):
    files = {
        "README.md": b"#",
        "m-Q8_0.gguf": b"GGUF" * 9,
        "m-Q4_K_M.gguf": b"GGUF",
        "mmproj-F16.gguf": b"GGUF",
        "BF16/m-BF16-00002-of-00003.gguf": b"GGUF2",
        "BF16/m-BF16-00001-of-00003.gguf": b"GGUF1",
    }
    hub.add_repo("owner/m-GGUF", files)
    models = list_models("owner/m-GGUF")
    assert [(model.name, model.quantization, model.size, model.missing, model.is_projector) for model in models] == [
        ("m-Q4_K_M.gguf", "Q4_K_M", 4, 0, False),
        ("BF16/m-BF16-00001-of-00003.gguf", "BF16", 10, 1, False),
        ("m-Q8_0.gguf", "Q8_0", 36, 0, False),
        ("mmproj-F16.gguf", "F16", 4, 0, True),
    ]
    assert models[0].source(models[0].files[0]) == f"hf:owner/m-GGUF@{COMMIT}/m-Q4_K_M.gguf"
    assert len(models[0].files[0].sha256) == 64


@pytest.mark.parametrize("written", ["hf:owner/m", " owner/m ", "{}/owner/m", "{}/owner/m/tree/main", "owner/m@main"])
def test_a_repository_can_be_named_as_it_was_copied(hub, written):
    hub.add_repo("owner/m", {"m.gguf": b"GGUF"})
    assert [model.name for model in list_models(written.format(hub.server.url))] == ["m.gguf"]


@pytest.mark.parametrize("written", ["", "m", "a/b/c", "../etc/passwd", "owner/m?x"])
def test_what_is_no_repository_is_refused(written):
    with pytest.raises(DownloadError, match="is not allowed, expected owner/name"):
        list_models(written)


def test_a_repository_that_is_not_there_is_an_error(hub):
    with pytest.raises(DownloadError, match="The hub does not list the files of owner/none"):
        list_models("owner/none")


def test_a_repository_without_models_is_an_error(hub):
    hub.add_repo("owner/m", {"README.md": b"#"})
    with pytest.raises(DownloadError, match="has no GGUF files"):
        list_models("owner/m")


@pytest.mark.parametrize(
    ("name", "quantization"),
    [("a-UD-Q2_K_XL.gguf", "UD-Q2_K_XL"), ("a.iq3_xxs.gguf", "IQ3_XXS"), ("Q8/model.gguf", "Q8"), ("model.gguf", "")],
)
def test_the_quantization_is_read_from_the_name(name, quantization):
    assert HubModel("o/r", "main", (HubFile(name, 1, None),)).quantization == quantization


@pytest.fixture
def unguarded():
    yield
    huggingface_hub.set_client_factory(default_client_factory)


def test_a_guarded_client_reaches_a_private_hub_only_when_allowed(hub, unguarded):
    hub.add_repo("owner/m", {"m.gguf": b"GGUF"})
    use_guarded_client(AddressGuard())
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 is not allowed"):
        list_models("owner/m")
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 is not allowed"):
        resolve_source(f"hf:owner/m@{COMMIT}/m.gguf")
    use_guarded_client(AddressGuard(["127.0.0.1"]))
    assert list_models("owner/m")
    assert resolve_source(f"hf:owner/m@{COMMIT}/m.gguf").size == 4
