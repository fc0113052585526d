"""The files for Docker agree with each other and with the configuration. Nothing here needs Docker."""

import re
import shlex
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
import yaml

from llmsite.config import PROJECT_ROOT, Config
from llmsite.config_loading import load_config

DOCKERFILE = (PROJECT_ROOT / "Dockerfile").read_text()
COMPOSE = (PROJECT_ROOT / "docker-compose.yml").read_text()


@pytest.fixture
def services() -> dict:
    return yaml.safe_load(COMPOSE)["services"]


@pytest.fixture
def production() -> Config:
    return load_config("config/production.yml")


def test_librechat_reaches_the_service_under_an_allowed_name(services, production):
    librechat = yaml.safe_load((PROJECT_ROOT / "config" / "librechat.yaml").read_text())
    [endpoint] = librechat["endpoints"]["custom"]
    url = urlsplit(endpoint["baseURL"])
    assert url.hostname in services
    assert url.hostname in production.server.allowed_hosts
    assert (url.port, url.path) == (8000, "/v1")
    assert endpoint["models"]["fetch"] is True


def test_mounted_files_exist(services):
    mounts = [mount.split(":")[0] for service in services.values() for mount in service["volumes"]]
    folders = [mount for mount in mounts if mount.startswith("./")]
    assert folders
    assert all((PROJECT_ROOT / folder).exists() for folder in folders)


def test_named_volumes_are_declared(services):
    mounts = [mount.split(":")[0] for service in services.values() for mount in service["volumes"]]
    assert {mount for mount in mounts if not mount.startswith("./")} == set(yaml.safe_load(COMPOSE)["volumes"])


def test_ports_are_open_to_this_machine_only(services):
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_database_lies_in_a_volume(production):
    path = production.database.url.removeprefix("sqlite:///")
    assert path.startswith(f"{PROJECT_ROOT}/data/")
    assert '"/app/data"' in DOCKERFILE


def test_the_image_listens_where_its_health_check_asks(production):
    assert "runserver --noreload 0.0.0.0:8000" in DOCKERFILE
    assert "http://127.0.0.1:8000/readyz" in DOCKERFILE
    assert "127.0.0.1" in production.server.allowed_hosts


def test_the_readme_writes_the_secrets_that_librechat_needs():
    readme = (PROJECT_ROOT / "README.md").read_text()
    [command] = re.findall(r'^(python3 -c "from secrets .*) > \.env$', readme, re.MULTILINE)
    output = subprocess.check_output([sys.executable, *shlex.split(command)[1:]], text=True)
    secrets = dict(line.split("=") for line in output.splitlines())
    assert set(secrets) == set(re.findall(r"\$\{(\w+):\?", COMPOSE))
    assert {len(value) for name, value in secrets.items() if name != "CREDS_IV"} == {64}
    assert len(secrets["CREDS_IV"]) == 32
