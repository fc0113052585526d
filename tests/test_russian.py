"""The Russian catalogue: whole, compiled, and seen on the pages."""

import os
import shutil
import subprocess
import sys
from gettext import GNUTranslations
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import ngettext

from access.models import APIKey
from registry.models import RegisteredModel
from registry.presets import Preset
from tests.live_server import DEMO, ROOT

CATALOGUE = ROOT / "llmsite" / "locale" / "ru" / "LC_MESSAGES"
SOURCES = ("access", "console", "inference", "llmsite", "registry", "templates", "usage")
IGNORED = shutil.ignore_patterns("locale", "__pycache__", "node_modules")


def gettext_tool(tool: str, *arguments: object) -> subprocess.CompletedProcess:
    assert shutil.which(tool), f"{tool} is missing: install gettext (on Debian: sudo apt-get install gettext)"
    return subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, check=False)


def translations(path: Path) -> dict[object, str]:
    """Return the translations of a compiled catalogue by text, or by text and number of the plural form."""
    with path.open("rb") as file:
        catalogue = dict(GNUTranslations(file)._catalog)
    del catalogue[""]
    return catalogue


@pytest.fixture(scope="module")
def collected(tmp_path_factory) -> Path:
    """Collect the texts of the sources as `make messages` does, into an empty catalogue."""
    folder = tmp_path_factory.mktemp("sources")
    assert shutil.which("xgettext"), "xgettext is missing: install gettext (on Debian: sudo apt-get install gettext)"
    for source in SOURCES:
        shutil.copytree(ROOT / source, folder / source, ignore=IGNORED)
    (folder / "locale").mkdir()
    command = [sys.executable, "-m", "django", "makemessages", "--locale", "ru", "--no-location"]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "locale" / "ru" / "LC_MESSAGES" / "django.po"


def test_every_text_of_the_sources_is_translated(collected):
    compared = gettext_tool("msgcmp", CATALOGUE / "django.po", collected)
    assert compared.returncode == 0, compared.stderr


def test_every_translation_has_its_text_in_the_sources(collected):
    compared = gettext_tool("msgcmp", "--use-untranslated", collected, CATALOGUE / "django.po")
    assert compared.returncode == 0, compared.stderr


def test_no_translation_is_a_guess():
    assert gettext_tool("msgattrib", "--only-fuzzy", CATALOGUE / "django.po").stdout == ""


def test_placeholders_are_those_of_the_text():
    checked = gettext_tool("msgfmt", "--check", "--output-file", "/dev/null", CATALOGUE / "django.po")
    assert checked.returncode == 0, checked.stderr


def test_the_compiled_catalogue_is_that_of_the_source(tmp_path):
    gettext_tool("msgfmt", "--output-file", tmp_path / "django.mo", CATALOGUE / "django.po")
    assert translations(CATALOGUE / "django.mo") == translations(tmp_path / "django.mo")


class Texts(HTMLParser):
    """The texts that a page shows, reads out or hands to its scripts, without code and the names of icons."""

    NAMED = ("title", "aria-label", "placeholder", "alt")
    UNREAD = ("script", "style", "template", "code", "pre", "option")

    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self.unread: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        is_icon = any(name == "class" and "material-symbols" in (value or "") for name, value in attributes)
        if tag in self.UNREAD or is_icon:
            self.unread.append(tag)
        for name, value in attributes:
            if value and (name in self.NAMED or (name.startswith("data-") and " " in value)):
                self.texts.add(" ".join(value.split()))

    def handle_endtag(self, tag: str) -> None:
        if self.unread and self.unread[-1] == tag:
            self.unread.pop()

    def handle_data(self, data: str) -> None:
        if not self.unread:
            self.texts.add(" ".join(data.split()).rstrip(":"))


def texts_of(html: str) -> set[str]:
    parser = Texts()
    parser.feed(html)
    return parser.texts


@pytest.fixture
def russian_client(admin_client: Client) -> Client:
    model = RegisteredModel.objects.create(name="demo-model", path=str(DEMO))
    Preset.objects.create(name="demo-preset", model=model)
    APIKey.objects.create(name="demo-key")
    Group.objects.all().delete()  # their names are data, and English
    Group.objects.create(pk=1, name="demo-group")
    admin_client.defaults["HTTP_ACCEPT_LANGUAGE"] = "ru"
    return admin_client


OWN_PAGES = {
    "admin:index": "Сводка",
    "console:usage": "Использование",
    "console:playground": "Песочница",
    "console:librechat": "Скопировать",
    "add_model:choose": "Файлы на сервере",
    "admin:registry_registeredmodel_changelist": "Модели",
    "admin:registry_download_changelist": "Скачивания",
    "admin:registry_preset_changelist": "Пресеты",
    "admin:access_apikey_changelist": "Ключи API",
    "admin:usage_requestlog_changelist": "Журнал запросов",
}
# What requests and configurations say word for word, and so do our pages.
LITERALS = {"tools", "temperature", "none", "key"}


def addresses() -> list[str]:
    """Return the addresses of all lists, forms, histories and confirmations, and of our own pages."""
    lists = {reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist"): m for m in admin.site._registry}
    rows = [(address, row.pk) for address, m in lists.items() if (row := m._default_manager.first())]
    objects = [f"{address}{pk}/{page}/" for address, pk in rows for page in ("change", "history", "delete")]
    tests = reverse("console:model_test", args=[RegisteredModel.objects.get().pk])
    own = [*map(reverse, [*OWN_PAGES, "admin:password_change"]), tests]
    return [*own, f"{reverse('add_model:configure')}?path={DEMO}", *lists, *(f"{a}add/" for a in lists), *objects]


def test_no_page_shows_a_text_of_ours_in_english(russian_client):
    compiled = translations(CATALOGUE / "django.mo")
    english = {text for text, russian in compiled.items() if text != russian} - LITERALS
    answers = [(address, russian_client.get(address)) for address in addresses()]
    pages = {address: answer.content.decode() for address, answer in answers if answer.status_code == 200}
    assert len(pages) > 40
    left = {address: found for address, html in pages.items() if (found := texts_of(html) & english)}
    assert not left


@pytest.mark.parametrize(("page", "words"), OWN_PAGES.items())
def test_a_page_has_its_russian_words(russian_client, page, words):
    assert words.lower() in " ".join(texts_of(russian_client.get(reverse(page)).content.decode())).lower()


def test_the_login_is_russian(client, db):
    texts = texts_of(client.get(reverse("admin:login"), headers={"accept-language": "ru"}).content.decode())
    assert "Войти" in texts
    assert not texts & {"Log in", "Username", "Password", "Return to site"}


@pytest.mark.parametrize("page", ["a form for a user", "a form for a group", "a role, which nobody changes"])
def test_permissions_are_told_in_russian(admin_client, page):
    user, role = get_user_model().objects.get(), Group.objects.get(name="operator")
    address = {
        "a form for a user": reverse("admin:auth_user_change", args=[user.pk]),
        "a form for a group": reverse("admin:auth_group_add"),
        "a role, which nobody changes": reverse("admin:auth_group_change", args=[role.pk]),
    }[page]
    html = admin_client.get(address, headers={"accept-language": "ru"}).content.decode()
    assert "модель | просмотр" in html
    assert "модель | загрузка и выгрузка моделей" in html
    assert " | Can " not in html


@pytest.mark.parametrize(
    ("count", "text"), [(1, "Отозван 1 ключ API."), (3, "Отозвано 3 ключа API."), (15, "Отозвано 15 ключей API.")]
)
def test_numbers_take_their_plural_form(count, text):
    with translation.override("ru"):
        assert ngettext("%d API key is revoked.", "%d API keys are revoked.", count) % count == text
