"""The Russian interface in a browser, from the language switch to an answer in the playground."""

import re
import shutil

import pytest
from openai import OpenAI
from playwright.sync_api import Page, expect

from tests import live_server
from tests.browser import CHANGELIST
from tests.live_server import ADMIN_PASSWORD, DEMO

# What a page shows or reads out: texts, and attributes that are texts. Not code, the names of icons, and what is data.
TEXTS = """() => {
  const UNREAD = "script, style, template, code, pre, .material-symbols-outlined, [data-latin]";
  const ATTRIBUTES = ["title", "aria-label", "placeholder", "alt"];
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const texts = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const owner = node.parentElement;
    if (!owner.closest(UNREAD) && (owner.closest("option") || isSeen(owner))) texts.add(node.textContent.trim());
  }
  for (const element of document.body.querySelectorAll("*")) {
    if (!isSeen(element) || element.closest(UNREAD)) continue;
    for (const name of ATTRIBUTES) texts.add((element.getAttribute(name) ?? "").trim());
    if (element.matches("input[type=submit], input[type=button]")) texts.add(element.value);
  }
  texts.add(document.title);
  return [...texts].filter(Boolean);
}"""


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    """A server with a model, a preset, a key that was used, and a file that is not registered."""
    folder = tmp_path_factory.mktemp("russian")
    (folder / "models").mkdir()
    shutil.copy(DEMO, folder / "models" / "second.gguf")
    live_server.set_up(folder, storage={"model_folders": [str(folder / "models")]})
    code = (
        "from registry.models import *; from access.models import APIKey;"
        "Preset.objects.create(name='brief', model=RegisteredModel.objects.get(), temperature=0);"
        "print(APIKey.create('client')[1])"
    )
    key = live_server.manage(folder, "shell", "-v0", "-c", code).stdout.strip()
    server = live_server.start(folder)
    with OpenAI(base_url=server.base_url, api_key=key, max_retries=0) as client:
        client.chat.completions.create(model="demo", messages=[{"role": "user", "content": "Hello"}])
    yield server
    server.stop()


# Names, units, parameters and terms that are the same in every language.
KNOWN = re.compile(
    r"https?://\S+|/\S*/\S*|\b\S+\.(gguf|ya?ml)\b|sk-\S+|\b[0-9a-f]{16,}\b|<\|\w+\|>|: pbkdf2_sha256|: \S+\*+"
    r"|\b(llmsite|LibreChat|Hugging Face|chat completions)\b"
    r"|\b(GGUF|API|URL|JSON|GPU|CPU|CSV|MIT|sha256|LoRA|HTTP|KV|RAM|mmap|mlock)\b"
    r"|\b([KMGT]iB|tokens?|playground|demo|Demo|brief|Brief|[Cc]lient|admin|Admin|llama|F16|curl|Python|JavaScript|openai|stop)\b"
    r"|\b(temperature|([Tt]op|[Mm]in)[_ ][pk]|max_tokens|[Ss]eed|reasoning_effort|flash attention|attention)\b"
    r"|\bCan (\w+ )+\w+$"  # permissions: Django keeps their names in the database
    r"|\b(auto|unified|partitioned|none|on|off|layer|row|low|medium|high|\w*\d\w*)\b|\{%.*",
    re.DOTALL,
)
SENTENCE = re.compile("[A-Za-z]{2,}[ ,]+[a-z]{2,}")
OTHER_PAGES = (
    *(f"{CHANGELIST}{page}" for page in ("1/history/", "1/delete/", "add/?plain=1", "?run=failed")),
    *("/admin/registry/preset/", "/admin/registry/preset/add/", "/admin/registry/preset/1/change/"),
    *("/admin/registry/download/", "/admin/access/apikey/1/change/", "/admin/usage/requestlog/1/change/"),
    *("/admin/usage/capture/", "/admin/usage/capture/add/", "/admin/inference/storedresponse/"),
    *("/admin/auth/user/", "/admin/auth/user/1/change/", "/admin/auth/group/", "/admin/console/tests/1/"),
)


def english(page: Page) -> set[str]:
    """Return the texts of a page that are left in English: without a Russian letter, or with some words in a row."""
    texts = {text: KNOWN.sub("", text) for text in page.evaluate(TEXTS)}
    latin = {
        text for text, rest in texts.items() if re.search("[A-Za-z]{2}", rest) and not re.search("[А-Яа-яЁё]", text)
    }
    return latin | {text for text, rest in texts.items() if SENTENCE.search(rest)}


def switch_to_russian(page: Page) -> None:
    with page.expect_navigation():
        page.locator("form:has(input[name=language][value=ru])").evaluate("form => form.requestSubmit()")


def shows(page: Page, *words: str) -> None:
    """Expect some texts, and none in English."""
    for text in words:
        expect(page.get_by_text(text).locator("visible=true").first).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "ru"
    left = english(page)
    assert not left, f"{page.url}: {sorted(left)}"


def log_in_again(page: Page) -> None:
    page.locator("form[action='/admin/logout/']").evaluate("form => form.requestSubmit()")
    page.wait_for_url("**/admin/logout/")
    page.goto(page.url.replace("logout", "login"))
    shows(page, "Пароль", "Войти")
    page.get_by_label("Имя пользователя").fill("admin")
    page.get_by_label("Пароль").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Войти").click()
    page.wait_for_url("**/admin/")


def chat(page: Page) -> None:
    page.get_by_label("Сообщение", exact=True).fill("Count to 30.")
    page.get_by_role("button", name="Отправить").click()
    answer = page.locator("#transcript li.message-assistant .message-text")
    expect(answer).to_contain_text("28, 29, 30", timeout=60_000)
    expect(page.locator("#figures")).to_contain_text("первый токен")
    answers = page.locator("#transcript .message-text")
    answers.evaluate_all(
        "all => all.forEach(each => each.dataset.latin = '')"
    )  # what was said is no text of the page's


def test_an_operator_works_in_russian(own_server, open_page):
    page = open_page(on=own_server).open("/admin/")
    assert english(page)
    switch_to_russian(page)
    log_in_again(page)
    shows(page, "Запросы", "Недавние ошибки")
    sidebar = page.locator("#nav-sidebar-apps")
    sidebar.get_by_role("link", name="Модели").first.click()
    shows(page, "загружена (", "Выгрузить", "состояние")
    page.get_by_role("link", name="demo", exact=True).click()
    expect(page.locator("[data-estimate]")).to_contain_text("Нужно около", timeout=60_000)
    shows(page, "Как она работает", "Прочитано из файла")
    sidebar.get_by_role("link", name="Добавить модель").click()
    shows(page, "Файлы на сервере", "Скачать с Hugging Face")
    page.get_by_role("row").filter(has_text="second.gguf").get_by_role("link", name="Выбрать").click()
    expect(page.locator("[data-estimate]")).to_contain_text("Нужно около", timeout=60_000)
    shows(page, "Что написано в файле")
    sidebar.get_by_role("link", name="Песочница").click()
    chat(page)
    shows(page, "Параметры", "Системный промпт")
    sidebar.get_by_role("link", name="Ключи API").click()
    shows(page, "client")
    page.locator("a[href='/admin/access/apikey/add/']").first.click()
    shows(page, "Сохранить")
    sidebar.get_by_role("link", name="Использование").click()
    shows(page, "Скачать CSV")
    sidebar.get_by_role("link", name="Журнал запросов").click()
    shows(page, "/v1/chat/completions", "Статус")
    sidebar.get_by_role("link", name="LibreChat").click()
    shows(page, "Скопировать")


def test_the_other_pages_are_russian_too(own_server, open_page):
    page = open_page(on=own_server).open("/admin/")
    switch_to_russian(page)
    left = {}
    for path in OTHER_PAGES:
        page.goto(own_server.url + path)
        left[path] = sorted(english(page))
    assert not any(left.values()), "\n".join(f"{path}: {texts}" for path, texts in left.items() if texts)


def test_roles_have_russian_titles(own_server, open_page):
    page = open_page(on=own_server).open("/admin/auth/group/")
    switch_to_russian(page)
    shows(page, "Наблюдатель", "Менеджер моделей")
    page.goto(f"{own_server.url}/admin/auth/user/1/change/")
    expect(page.locator("#id_groups_from option, #id_groups option").first).to_contain_text("Администратор")
