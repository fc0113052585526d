"""The playground in a browser."""

import json
import os
import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

NARROW = 390
PATH = "/admin/console/playground/?model=demo"
PROGRESS = """() => {
  window.lengths = [];
  const list = document.getElementById("transcript");
  new MutationObserver(() => {
    const text = list.querySelector("li.message-assistant:last-child .message-text");
    if (text) window.lengths.push(text.textContent.length);
  }).observe(list, { subtree: true, childList: true, characterData: true });
}"""


@pytest.fixture
def playground(open_page) -> Page:
    page = open_page().open(PATH)
    expect(page.locator("#context")).to_contain_text("2048")
    page.fill("#temperature", "0")
    return page


def send(page: Page, text: str) -> None:
    page.fill("#message", text)
    page.press("#message", "Enter")


def answer(page: Page):
    return page.locator("#transcript li.message-assistant").last.locator(".message-text")


def done(page: Page) -> None:
    expect(page.locator("#send")).to_be_visible(timeout=60_000)


def test_text_appears_progressively(playground):
    playground.evaluate(PROGRESS)
    send(playground, "Count to 30.")
    done(playground)
    expect(answer(playground)).to_contain_text("28, 29, 30")
    lengths = sorted(set(playground.evaluate("window.lengths")))
    assert len(lengths) > 10, lengths
    figures = playground.locator("#figures").inner_text()
    for part in ("tokens/s", "first token after", "prompt tokens", "cached", "tokens generated"):
        assert part in figures
    expect(playground.locator("#status")).to_contain_text("28, 29, 30")


def test_shift_and_enter_begin_a_new_line(playground):
    playground.fill("#message", "one")
    playground.press("#message", "Shift+Enter")
    playground.type("#message", "two")
    assert playground.input_value("#message") == "one\ntwo"
    expect(playground.locator("#transcript li")).to_have_count(0)


def test_stop_ends_the_answer_and_keeps_what_came(playground, server):
    playground.route(
        "**/playground/chat",
        lambda route: route.continue_(post_data=json.dumps({**route.request.post_data_json, "ignore_eos": True})),
    )
    playground.fill("#max_tokens", "1800")
    send(playground, "Count to 30.")
    expect(answer(playground)).to_contain_text("1, 2, 3", timeout=60_000)
    playground.click("#stop")
    done(playground)
    server.wait_for("running == 0")
    expect(playground.locator("#figures")).to_contain_text("Stopped.")
    expect(answer(playground)).to_contain_text("1, 2, 3")


def test_a_conversation_goes_on_is_edited_and_cleared(playground):
    send(playground, "My name is Ada.")
    done(playground)
    send(playground, "What is my name?")
    done(playground)
    expect(answer(playground)).to_contain_text("Ada")
    playground.get_by_role("button", name="Edit").click()
    assert playground.input_value("#message") == "What is my name?"
    expect(playground.locator("#transcript li")).to_have_count(2)
    send(playground, "What is the capital of France?")
    done(playground)
    expect(answer(playground)).to_contain_text("Paris")
    playground.click("#clear")
    expect(playground.locator("#transcript li")).to_have_count(0)


def test_a_schema_gives_json(playground):
    playground.get_by_text("JSON schema", exact=True).click()
    playground.locator("[data-example=schema]").click()
    playground.fill("#max_tokens", "200")
    send(playground, "What is the capital of France?")
    done(playground)
    assert set(json.loads(answer(playground).inner_text())) == {"city", "is_capital"}


def test_a_tool_is_called_and_its_result_answered(playground):
    playground.get_by_text("Tools", exact=True).click()
    playground.locator("[data-example=tools]").click()
    send(playground, "What is the weather in Paris?")
    done(playground)
    expect(playground.locator(".call-name")).to_have_text("Calls get_weather")
    assert json.loads(playground.locator(".call pre").inner_text()) == {"city": "Paris"}
    playground.get_by_label("Result of get_weather").fill('{"temperature": 17, "condition": "cloudy"}')
    playground.get_by_role("button", name="Send results").click()
    done(playground)
    expect(answer(playground)).to_contain_text("17")


def test_what_cannot_be_sent_is_named(playground):
    playground.get_by_text("Tools", exact=True).click()
    playground.fill("#tools", "[")
    send(playground, "Hello")
    expect(playground.locator("#error")).to_contain_text("Tools: this is no JSON")
    expect(playground.locator("#transcript li")).to_have_count(0)
    assert playground.input_value("#message") == "Hello"


def test_an_error_of_the_api_is_shown_with_its_message(open_page):
    watched = open_page()
    page = watched.open(PATH)
    page.fill("#temperature", "5")
    send(page, "Hello")
    expect(page.locator("#error")).to_have_text("Invalid `temperature`: expected a number between 0 and 2, got 5.")
    assert len(watched.complaints) == 2, watched.complaints  # the status, and the browser's own line about it
    watched.complaints.clear()
    page.fill("#temperature", "0")
    page.get_by_role("button", name="Edit").click()
    page.press("#message", "Enter")
    done(page)
    expect(page.locator("#error")).to_be_hidden()


def test_what_a_model_writes_is_shown_as_text(playground):
    send(playground, "Repeat after me: <b>bold</b>")
    done(playground)
    assert playground.locator("#transcript .message-text b").count() == 0
    expect(playground.locator("#transcript .message-user .message-text")).to_have_text("Repeat after me: <b>bold</b>")


def test_reasoning_is_folded(playground):
    """The demo model does not think; a server that streams reasoning is played by the browser's own route."""
    deltas = [{"reasoning_content": "Let me think."}, {"content": "Paris"}]
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    playground.route("**/playground/chat", lambda route: route.fulfill(body=body, content_type="text/event-stream"))
    send(playground, "Hello")
    done(playground)
    expect(answer(playground)).to_have_text("Paris")
    box = playground.locator("#transcript details")
    expect(box.locator(".reasoning")).to_be_hidden()
    box.locator("summary").click()
    expect(box.locator(".reasoning")).to_have_text("Let me think.")


def test_snippets_follow_the_form_and_run(playground, tmp_path):
    playground.fill("#top_k", "20")
    playground.fill("#max_tokens", "40")
    playground.fill("#system", 'It\'s you, "llmsite".')
    playground.fill("#message", "What is the capital of France?")
    curl = playground.locator("#snippet-curl").text_content()
    assert '"top_k": 20' in curl
    run = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, timeout=60, check=True)
    chunks = [json.loads(line[6:]) for line in run.stdout.splitlines() if line.startswith("data: {")]
    said = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    assert "Paris" in said
    script = tmp_path / "snippet.py"
    script.write_text(playground.locator("#snippet-python").text_content())
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout.strip()) == (0, said.strip()), run.stderr


def test_snippets_are_copied(playground, server):
    playground.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    playground.locator("[data-copy=snippet-curl]").click()
    expect(playground.locator("#status")).to_have_text("Copied")
    copied = playground.evaluate("navigator.clipboard.readText()")
    assert copied == playground.locator("#snippet-curl").text_content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_narrow_page(open_page, scheme):
    playground = open_page(NARROW, scheme).open(PATH)
    send(playground, "Hello!")
    done(playground)
    assert playground.evaluate("document.documentElement.scrollWidth") <= NARROW
    if folder := os.environ.get("SCREENSHOTS"):
        playground.screenshot(path=f"{folder}/playground-{scheme}-narrow.png", full_page=True)
        playground.set_viewport_size({"width": 1280, "height": 900})
        playground.screenshot(path=f"{folder}/playground-{scheme}.png", full_page=True)
