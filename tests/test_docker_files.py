"""The files for Docker agree with each other and with the configuration. Nothing here needs Docker."""

import re
import shlex
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
import yaml

from llmsite.config import PROJECT_ROOT, SECTIONS, Config
from llmsite.config_loading import load_config
from llmsite.config_values import settings_of

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


OVERLAYS = ("docker-compose.gpu.yml", "docker-compose.postgres.yml")
ALONE = "docker-compose.test.yml"


def read(name: str) -> dict:
    return yaml.safe_load((PROJECT_ROOT / name).read_text())


@pytest.mark.parametrize("name", ["docker-compose.yml", ALONE])
def test_only_the_volumes_can_be_written_to(name):
    llm = read(name)["services"]["llm"]
    written = [mount.split(":")[:3] for mount in [*llm.get("volumes", []), *llm["tmpfs"]]]
    assert llm["read_only"] is True
    assert ["/tmp"] in written
    assert any("/app/data" in mount for mount in written)


@pytest.mark.parametrize("name", OVERLAYS)
def test_overlays_change_the_service_and_say_how_to_use_them(name, services):
    overlay = read(name)
    assert "llm" in overlay["services"]
    assert set(overlay["services"]) - {"postgres"} <= set(services)
    assert f"docker compose -f docker-compose.yml -f {name} up -d" in (PROJECT_ROOT / name).read_text()


def test_the_variables_of_the_compose_files_are_settings(services):
    known = {f"LLMSITE__{section}__{key}".upper() for section, kind in SECTIONS.items() for key in settings_of(kind)}
    named = {
        variable
        for name in ("docker-compose.yml", ALONE, *OVERLAYS)
        for service in read(name)["services"].values()
        for variable in service.get("environment", {})
        if variable.startswith("LLMSITE")
    }
    assert named
    assert named <= known


def test_the_database_of_the_overlay_is_the_one_that_it_starts():
    overlay = read("docker-compose.postgres.yml")["services"]
    url = urlsplit(re.sub(r"\$\{[^}]*\}", "pw", overlay["llm"]["environment"]["LLMSITE__DATABASE__URL"]))
    postgres = overlay["postgres"]["environment"]
    assert (url.hostname, url.username, url.path) == (
        "postgres",
        postgres["POSTGRES_USER"],
        f"/{postgres['POSTGRES_DB']}",
    )
    environ = {"LLMSITE__DATABASE__URL": url.geturl()}
    assert load_config("config/production.yml", environ).server.data_dir == f"{PROJECT_ROOT}/data"


def test_each_variant_of_the_image_has_both_stages():
    stages = re.findall(r"^FROM .* AS (\S+)$", DOCKERFILE, re.MULTILINE)
    assert {"build-cpu", "run-cpu", "build-cuda", "run-cuda"} <= set(stages)
    assert re.search(r"^ARG VARIANT=cpu$", DOCKERFILE, re.MULTILINE)
    assert read("docker-compose.gpu.yml")["services"]["llm"]["build"]["args"] == {"VARIANT": "cuda"}


def test_the_image_runs_as_nobody_special():
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["1000"]
    assert DOCKERFILE.index("\nUSER ") > DOCKERFILE.rindex("\nRUN ")


def test_librechat_sends_the_key_that_compose_gives_it(services):
    [endpoint] = read("config/librechat.yaml")["endpoints"]["custom"]
    [variable] = re.findall(r"\$\{(\w+)\}", endpoint["apiKey"])
    assert services["librechat"]["environment"][variable] == f"${{{variable}:-any-text}}"


def test_what_is_copied_into_the_image_leaves_secrets_and_weights_out():
    ignored = (PROJECT_ROOT / ".dockerignore").read_text().splitlines()
    assert {".env", ".secret_key", "config/config.yml", "data", "models/*", ".git", ".venv"} <= set(ignored)


def test_the_unit_of_systemd_starts_what_there_is():
    unit = (PROJECT_ROOT / "deploy" / "llmsite.service").read_text()
    commands = re.findall(r"^ExecStart(?:Pre)?=\S+/python manage\.py (\w+)", unit, re.MULTILINE)
    assert commands == ["setup", "runserver"]
    timeout = int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1])
    assert timeout > Config().server.shutdown_timeout
