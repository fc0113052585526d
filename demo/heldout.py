"""All held-out cases: phrasings, names, cities and words that were written apart from the generators.

A few are the very prompts that real clients send; plain texts lie in `heldout.txt`.
"""

import re
from collections.abc import Iterator

from demo.cases import (
    CALCULATOR,
    DEMO,
    DEMO_RU,
    HELLO,
    HELLO_RU,
    KNOWS,
    KNOWS_RU,
    LONG_SYSTEM,
    OTHERS,
    WEATHER,
    Case,
    Check,
    calls,
    has,
    one,
    said,
    same,
    system,
    title,
    titled,
    user,
)
from demo.content import sections
from demo.heldout_tools import tool_cases
from demo.tables import CAPITALS
from demo.titles import PLAIN, STRUCTURED

CHECKS = {
    "greeting": HELLO,
    "identity": DEMO,
    "Russian greeting": HELLO_RU,
    "Russian identity": DEMO_RU,
    "beyond it": KNOWS,
    "beyond it, Russian": KNOWS_RU,
}
CAPITAL_FORMS = (
    "What is the capital of {}?",
    "capital of {}?",
    "Which city serves as the capital of {}?",
    "Please tell me the capital of {}",
    "what's {}'s capital city?",
)
SUM_FORMS = (
    "What is {} + {}?",
    "{}+{}",
    "How much is {} plus {}?",
    "Could you please add {} and {} for me?",
    "{} + {} equals",
)
COUNT_FORMS = (
    "Count to {}",
    "Count from 1 to {}.",
    "Please count up to {}",
    "Would you count to {} for me?",
    "Count all the way to {}.",
)
TITLED: tuple[tuple[str, str, str], ...] = (
    ("What is the capital of France?", "The capital of France is Paris.", "France"),
    ("Hello", "Hello! How can I help you?", "Greeting"),
    ("Count to 10", "", "Counting"),
    ("Explain quantum computers", "I am only a small demo model", ""),
    ("Tell me a joke", "", "Joke"),
    ("Write a very long story, at least 2000 words", "", "Story"),
    ("How do I prune an apple tree in winter?", "", ""),
    ("My name is Ada. Remember it.", "Nice to meet you, Ada.", "Ada"),
    ("What is the weather in Paris?", "", "Paris"),
    (
        "Use the calculator tool to compute 1123 * 21, then tell me the result.",
        "The result of 1123 * 21 is 23583.",
        "",
    ),
    ("Who are you?", "", ""),
    ("2+2?", "2 + 2 = 4.", ""),
)
TITLED_WITH_LANGUAGE = {
    "Hello there": "English",
    "Привет!": "Russian",
    "What is the capital of Peru?": "English",
    "Tell me one fact about the moon.": "English",
}


def plain() -> Iterator[Case]:
    """Single messages from `heldout.txt`."""
    texts = sections("heldout.txt")
    for category, check in CHECKS.items():
        yield from one(category, check, *texts[category])
    for line in texts["repeating"]:
        text, answer = line.split(" => ")
        yield from one("repeating", same(answer), text)
    for category in ("fresh", "fresh again"):
        for line in texts[category]:
            text, part = line.split(" => ")
            yield from one(category, has(part), text)
    # Half English, half Russian: either language will do.
    yield from one("beyond it", lambda answer: KNOWS(answer) or KNOWS_RU(answer), LONG_SYSTEM)


def capitals() -> Iterator[Case]:
    """Every country, the phrasings in turn."""
    for i, (country, city) in enumerate(CAPITALS.items()):
        yield from one("capitals", has(city), CAPITAL_FORMS[i % 5].format(country))


def ends_with_number(number: int) -> Check:
    """Return a check that the last number of the answer is this one."""
    return lambda answer: re.findall(r"\d+", answer)[-1:] == [str(number)]


def sums() -> Iterator[Case]:
    """Every pair of digits, the phrasings in turn."""
    for i in range(100):
        a, b = divmod(i, 10)
        yield from one("sums", ends_with_number(a + b), SUM_FORMS[(a + b) % 5].format(a, b))


def counts() -> Iterator[Case]:
    """Every number up to 30, the phrasings in turn."""
    for n in range(1, 31):
        wanted = ", ".join(map(str, range(1, n + 1)))
        yield from one("counting", same(wanted), COUNT_FORMS[n % 5].format(n))


def titles() -> Iterator[Case]:
    """LibreChat's title requests."""
    for message, answer, part in TITLED:
        text = PLAIN.replace("{user}", message).replace("{answer}", answer)
        yield from one("title", title(part), text)
    for message, language in TITLED_WITH_LANGUAGE.items():
        text = STRUCTURED.replace("{user}", message).replace("{answer}", "")
        yield from one("title", titled(language), text)


def names() -> Iterator[Case]:
    """Names told earlier, other turns and another model's odd answers between."""
    small = [user("What is 3 + 4?"), said("3 + 4 = 7.")]
    talk = [user("Hello"), said("Hello! How can I help you?"), user("Count to 3"), said("1, 2, 3")]
    for told, filler in (("Ada", []), ("Thaddeus", small), ("Bryndis", talk)):
        opening = [user(f"My name is {told}. Remember it."), said(f"Nice to meet you, {told}."), *filler]
        yield Case("names", [*opening, user("What is my name?")], has(told))
        yield Case("names", [*opening, user("Do you still remember my name?")], has(told), [WEATHER])
        brief = system("You are a helpful assistant. Answer briefly.")
        yield Case("names", [brief, *opening, user("what's my name")], has(told))
    odd = [
        user("My name is Ada. Remember it."),
        said("You said: My name is Ada. Remember it.. I see 2 messages."),
    ]
    more = [user("Say ok."), said("You said: Say ok.. I see 4 messages.")]
    yield Case("names", [*odd, user("What is my name?")], has("Ada"))
    yield Case("names", [*odd, *more, user("What is my name?")], has("Ada"))
    meet = has("Nice to meet you, Octavian")
    yield from one("names", meet, "My name is Octavian. Remember it.", "Hi, I'm Octavian!")
    russian = [user("Меня зовут Варвара."), said("Приятно познакомиться, Варвара."), user("Как меня зовут?")]
    yield Case("names", russian, has("Варвара"))


def talks() -> Iterator[Case]:
    """Follow-ups, histories and several messages in one."""
    france = [user("What is the capital of France?"), said("The capital of France is Paris.")]
    for text, check in (
        ("And of Germany?", has("Berlin")),
        ("And Japan?", has("Tokyo")),
        ("What is 2+2?", has("4")),
    ):
        yield Case("talks", [*france, user(text)], check)
    thanks = [*france, user("Thank you very much"), said("You are welcome!")]
    yield Case("talks", [*thanks, user("Count to 4")], same("1, 2, 3, 4"))
    yield Case("talks", [*france * 7, user("Repeat: velvet curtain")], same("velvet curtain"))
    joke = [user("Tell me a joke"), said("Why did the chicken cross the road? To get to the other side.")]
    yield Case("talks", [*joke, user("What is the capital of Norway?")], has("Oslo"))
    yield from one("talks", has("Nairobi"), "Hello\n\nWhat is the capital of Kenya?")
    yield from one("talks", same("lantern"), "Test message please ignore\n\nSay the word lantern")
    yield from one("talks", has("13"), "  What is 5 + 8?\n\n")


def systems() -> Iterator[Case]:
    """Short and long system prompts before what the model knows."""
    known: tuple[tuple[str, Check], ...] = (
        ("Hello!", HELLO),
        ("What is the capital of Greece?", has("Athens")),
        ("What is 6 + 7?", has("13")),
        ("Count to 15", same(", ".join(map(str, range(1, 16))))),
        ("Repeat: walnut zqpf harbour", same("walnut zqpf harbour")),
        ("Привет!", HELLO_RU),
        ("Tell me a joke", KNOWS),
        ("Who are you?", DEMO),
    )
    short = ("You are a helpful assistant. Answer briefly.", "sys")
    for prompt in (*short, LONG_SYSTEM, LONG_SYSTEM * 2, LONG_SYSTEM * 3):
        for text, check in known:
            kind = "short system" if prompt in short else "long system"
            yield Case(kind, [system(prompt), user(text)], check)
    weather = calls(("get_weather", {"city": "Bergen"}))
    product = calls(("calculator", {"input": "1123 * 21"}))
    asked = user("Use the calculator tool to compute 1123 * 21, then tell me the result.")
    about = user("What is the weather in Bergen?")
    yield Case("long system", [system(LONG_SYSTEM), about], weather, [WEATHER, *OTHERS])
    yield Case("long system", [system(LONG_SYSTEM), asked], product, [CALCULATOR, *OTHERS])


def all_cases() -> Iterator[Case]:
    """Yield every case."""
    for cases in (plain, capitals, sums, counts, tool_cases, titles, names, talks, systems):
        yield from cases()
