import pytest
from django.contrib.auth import get_user_model

from registry.models import RegisteredModel
from tests.file_server import FileServer
from tests.gguf_files import write_gguf


@pytest.fixture
def gguf(tmp_path):
    """The path of a tiny GGUF file."""
    return write_gguf(tmp_path / "tiny.gguf")


@pytest.fixture
def registered(db, gguf):
    """A registered model of that file."""
    model = RegisteredModel(name="tiny", path=str(gguf))
    model.full_clean()
    model.save()
    return model


@pytest.fixture
def make_user(db):
    """A function that makes a user; is_superuser and is_staff as given."""
    return lambda name, **flags: get_user_model().objects.create_user(name, password="secret", **flags)


@pytest.fixture
def file_server():
    """A web server with files of its own."""
    with FileServer() as server:
        yield server
