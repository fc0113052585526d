"""The list of all held-out cases, category by category."""

import json
from collections.abc import Iterator
from typing import Any

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
    WEATHER_AT,
    Case,
    Check,
    Message,
    calls,
    every_capital,
    every_count,
    every_sum,
    has,
    one,
    said,
    same,
    system,
    title,
    tool,
    user,
)
from demo.titles import PLAIN, STRUCTURED


def greetings() -> Iterator[Case]:
    """Greetings and questions who the model is, in both languages."""
    yield from one(
        "greeting",
        HELLO,
        "Hello",
        "Hi there",
        "Good morning",
        "Hello! Say hi in one short sentence.",
        "hey!!",
        "Well hello there",
        "Hello, dear model!",
        "Good evening, how are you doing?",
        "hi :)",
        "Hello\n",
    )
    yield from one(
        "identity",
        DEMO,
        "Who are you?",
        "What are you?",
        "What is your name?",
        "Introduce yourself",
        "who r you",
        "Which AI model am I using?",
        "Please introduce yourself in a sentence.",
        "Tell me who you are, please",
        "What's your name, friend?",
    )
    yield from one(
        "Russian greeting",
        HELLO_RU,
        "Привет",
        "Здравствуйте!",
        "Добрый день",
        "Доброе утро!",
        "Привет! Как дела?",
        "привет, бот!",
        "Здравствуй, дорогая модель",
        "Добрый вечер!",
        "Привет-привет",
        "Как поживаете?",
    )
    yield from one(
        "Russian identity",
        DEMO_RU,
        "Кто ты?",
        "Кто вы?",
        "Как тебя зовут?",
        "Расскажи, кто ты",
        "Представься, пожалуйста",
        "А ты кто?",
    )


REPEATS = {
    "Repeat: apple banana": "apple banana",
    "Repeat after me: the quick brown fox": "the quick brown fox",
    "Say ok.": "ok",
    "Say the word tiger": "tiger",
    "Repeat the words red green blue": "red green blue",
    "Now just say: done.": "done",
    "Repeat: zxqv bnmw plok": "zxqv bnmw plok",
    "Say Bartholomew": "Bartholomew",
    "Repeat: кошка собака": "кошка собака",
    "Повтори: зелёный крокодил": "зелёный крокодил",
    "Please repeat: one two three four five six seven eight": "one two three four five six seven eight",
    "Repeat after me: Gwendolyn met Xander": "Gwendolyn met Xander",
    "Say just the word marmalade": "marmalade",
    "Repeat: qj8 w2e 77": "qj8 w2e 77",
    "Echo hippopotamus": "hippopotamus",
    "Say pong": "pong",
    "Reply with exactly: ready steady go": "ready steady go",
    "Reply with the word cucumber.": "cucumber",
    "Скажи: самовар": "самовар",
    "Repeat these words: kettle, spoon, fork": "kettle, spoon, fork",
    "Repeat: ALPHA beta Gamma": "ALPHA beta Gamma",
    "say yes": "yes",
    "Repeat this word: onomatopoeia": "onomatopoeia",
    "Please say the words purple elephant": "purple elephant",
    "Repeat exactly: hjkl": "hjkl",
    "Just say the word blueberry.": "blueberry",
    "Say: I am here": "I am here",
    "Reply with only: pineapple": "pineapple",
}


def tool_calls() -> Iterator[Case]:
    """Questions that an offered tool serves: the call must be exact."""
    for offered, key in (
        (WEATHER, "city"),
        (WEATHER_AT, "location"),
        (tool("get_weather", "zone", "Weather.", strict=True), "zone"),
    ):
        for text, city in (
            ("What is the weather in Paris?", "Paris"),
            ("How's the weather in Ljubljana today?", "Ljubljana"),
            ("I'd like the weather for Kuala Lumpur", "Kuala Lumpur"),
            ("Could you tell me the weather in Wroxham right now?", "Wroxham"),
        ):
            for tools in ([offered], [*OTHERS[:3], offered], [CALCULATOR, offered, *OTHERS]):
                yield from one("weather call", calls(("get_weather", {key: city})), text, tools=tools)
    for offered, key in (
        (CALCULATOR, "input"),
        (tool("calculator", "expression", "Evaluates arithmetic."), "expression"),
    ):
        for text, value in (
            ("Use the calculator tool to compute 1123 * 21, then tell me the result.", "1123 * 21"),
            ("What is 48 + 957?", "48 + 957"),
            ("Please calculate (17 + 4) * 93", "(17 + 4) * 93"),
            ("Compute 8/3 with the calculator", "8/3"),
            ("How much is 4571 - 88?", "4571 - 88"),
        ):
            for tools in ([offered], [WEATHER, *OTHERS, offered], [offered, OTHERS[0]]):
                yield from one("calculator call", calls(("calculator", {key: value})), text, tools=tools)
    both = (("Cairo", "Bergen"), ("Paris", "London"), ("Tromso", "Ulan Bator"))
    for first, second in both:
        check = calls(("get_weather", {"city": first}), ("get_weather", {"city": second}))
        yield from one(
            "two calls",
            check,
            f"What's the weather in {first} and {second}?",
            f"Compare the weather in {first} and in {second}.",
            tools=[WEATHER, OTHERS[1]],
        )


def asked(name: str, key: str, value: str) -> dict[str, Any]:
    """Return a tool call as it stands in a history."""
    return {
        "id": "call_x",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps({key: value})},
    }


def after(question: str, called: list[dict[str, Any]], *results: str) -> list[Message]:
    """Return a history that ends with tool results."""
    return [
        user(question),
        {"role": "assistant", "content": None, "tool_calls": called},
        *({"role": "tool", "content": r} for r in results),
    ]


def tool_answers() -> Iterator[Case]:
    """Tool results, one or two, that the answer must quote."""

    def weather(city: str, result: str, *parts: str, tools: list[dict[str, Any]] | None = None) -> Case:
        messages = after(f"What is the weather in {city}?", [asked("get_weather", "city", city)], result)
        return Case("tool answer", messages, has(city, *parts), tools or [WEATHER])

    yield weather("Paris", "Sunny, 21°C", "Sunny, 21°C")
    yield weather("Paris", '{"temperature": 22, "humidity": 45}', "22", "45")
    yield weather("Quebec", '{"temp_c": 18, "condition":"sunny"}', "18", "sunny", tools=[*OTHERS, WEATHER])
    yield weather("Oslo", '{"city": "Oslo", "temperature": -7, "unit": "celsius"}', "-7")
    yield weather("Xalapa", "Light showers, 14 degrees, wind from the west", "Light showers, 14 degrees")
    yield weather("Minsk", "18C and partly cloudy.", "18C and partly cloudy", tools=[CALCULATOR, WEATHER])
    for expression, result, value in (
        ("1123 * 21", "23583", "23583"),
        ("7 / 2", "3.5", "3.5"),
        ("99 * 99", '{"result": 9801}', "9801"),
        ("12 - 40", "-28", "-28"),
        ("2 ** 40", "1099511627776", "1099511627776"),
    ):
        messages = after(
            f"Use the calculator tool to compute {expression}, then tell me the result.",
            [asked("calculator", "input", expression)],
            result,
        )
        yield Case("tool answer", messages, has(value), [CALCULATOR])
        yield Case("tool answer", messages, has(value), [*OTHERS, CALCULATOR, WEATHER])
    for one_, two in (
        ("Sunny, 21°C", "Rain, 9°C"),
        ('{"temperature": 30}', '{"temperature": 12}'),
        ("warm", "cold"),
    ):
        called = [asked("get_weather", "city", "Lyon"), asked("get_weather", "city", "Bergen")]
        digits = [part.strip("{}").split(": ")[-1] for part in (one_, two)]
        yield Case(
            "two results",
            after("What's the weather in Lyon and Bergen?", called, one_, two),
            has("Lyon", "Bergen", *digits),
            [WEATHER],
        )
    done = [
        *after("What is the weather in Paris?", [asked("get_weather", "city", "Paris")], "Sunny, 21°C"),
        said("The weather in Paris: Sunny, 21°C."),
    ]
    yield Case("after tools", [*done, user("Thanks. Now just say: done.")], has("done"), [WEATHER])
    yield Case(
        "after tools",
        [*done, user("Thanks. Now just say: done.")],
        has("done"),
        [CALCULATOR, *OTHERS, WEATHER],
    )
    yield Case("after tools", [*done, user("Thanks. Now just say: done.")], has("done"))
    yield Case(
        "after tools", [*done, user("And in Bergen?")], calls(("get_weather", {"city": "Bergen"})), [WEATHER]
    )
    yield Case("after tools", [*done, user("What is the capital of Italy?")], has("Rome"), [WEATHER])
    yield Case("after tools", [*done, user("Thank you!")], has("welcome"), [WEATHER])


def no_tool() -> Iterator[Case]:
    """Offered tools that must not be called, and questions that lack their tool."""
    for tools in ([WEATHER], [CALCULATOR], [WEATHER, CALCULATOR, *OTHERS], OTHERS):
        plain: tuple[tuple[str, Check], ...] = (
            ("Hello!", HELLO),
            ("What is the capital of Spain?", has("Madrid")),
            ("Tell me a joke", KNOWS),
            ("Repeat: kiwi melon", same("kiwi melon")),
            ("Привет!", HELLO_RU),
            ("Who are you?", DEMO),
            ("Count to 6", same("1, 2, 3, 4, 5, 6")),
            ("Say ok.", same("ok")),
        )
        for text, check in plain:
            yield from one("tools not needed", check, text, tools=tools)
    yield from one(
        "tool missing",
        KNOWS,
        "What is the weather in Paris?",
        "What's the weather like in Bergen today?",
        "What is 345 + 768?",
        "What is 1123 * 21?",
        "Weather in Rome?",
    )
    yield from one("tool missing", KNOWS, "What is the weather in Paris?", tools=[CALCULATOR])
    yield from one("tool missing", KNOWS, "How much is 1123 * 21?", tools=[WEATHER])


def titles() -> Iterator[Case]:
    """LibreChat's title requests."""
    for message, answer, part in (
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
    ):
        yield from one(
            "title",
            lambda text, part=part: title(text) and part in text,
            PLAIN.replace("{user}", message).replace("{answer}", answer),
        )
    for message, language in (
        ("Hello there", "English"),
        ("Привет!", "Russian"),
        ("What is the capital of Peru?", "English"),
        ("Tell me one fact about the moon.", "English"),
    ):
        yield from one(
            "title",
            lambda text, language=language: (
                json.loads(text)["language"] == language and title(json.loads(text)["title"])
            ),
            STRUCTURED.replace("{user}", message).replace("{answer}", ""),
        )


def talks() -> Iterator[Case]:
    """Longer conversations: names remembered, follow-ups, odd histories."""
    odd = said("You said: My name is Ada. Remember it.. I see 2 messages.")
    for told, filler in (
        ("Ada", []),
        ("Thaddeus", [user("What is 3 + 4?"), said("3 + 4 = 7.")]),
        ("Bryndis", [user("Hello"), said("Hello! How can I help you?"), user("Count to 3"), said("1, 2, 3")]),
    ):
        opening = [user(f"My name is {told}. Remember it."), said(f"Nice to meet you, {told}."), *filler]
        yield Case("names", [*opening, user("What is my name?")], has(told))
        yield Case("names", [*opening, user("Do you still remember my name?")], has(told), [WEATHER])
        yield Case(
            "names",
            [system("You are a helpful assistant. Answer briefly."), *opening, user("what's my name")],
            has(told),
        )
    yield Case("names", [user("My name is Ada. Remember it."), odd, user("What is my name?")], has("Ada"))
    yield Case(
        "names",
        [
            user("My name is Ada. Remember it."),
            odd,
            user("Say ok."),
            said("You said: Say ok.. I see 4 messages."),
            user("What is my name?"),
        ],
        has("Ada"),
    )
    yield from one(
        "names", has("Nice to meet you, Octavian"), "My name is Octavian. Remember it.", "Hi, I'm Octavian!"
    )
    yield Case(
        "names",
        [user("Меня зовут Варвара."), said("Приятно познакомиться, Варвара."), user("Как меня зовут?")],
        has("Варвара"),
    )
    france = [user("What is the capital of France?"), said("The capital of France is Paris.")]
    yield Case("talks", [*france, user("And of Germany?")], has("Berlin"))
    yield Case("talks", [*france, user("And Japan?")], has("Tokyo"))
    yield Case("talks", [*france, user("What is 2+2?")], has("4"))
    yield Case(
        "talks",
        [*france, user("Thank you very much"), said("You are welcome!"), user("Count to 4")],
        same("1, 2, 3, 4"),
    )
    yield Case("talks", [*france * 7, user("Repeat: velvet curtain")], same("velvet curtain"))
    yield Case(
        "talks",
        [
            user("Tell me a joke"),
            said("Why did the chicken cross the road? To get to the other side."),
            user("What is the capital of Norway?"),
        ],
        has("Oslo"),
    )
    yield Case("talks", [user("Hello\n\nWhat is the capital of Kenya?")], has("Nairobi"))
    yield Case("talks", [user("Test message please ignore\n\nSay the word lantern")], same("lantern"))
    yield Case("talks", [user("  What is 5 + 8?\n\n")], has("13"))


UNKNOWN = (
    "Tell me a joke",
    "Write a very long story, at least 2000 words",
    "Explain quantum computers",
    "Tell me one fact about the moon.",
    "How do I boil an egg?",
    "def foo(x):\n    return x * 2",
    "asdf qwer zxcv",
    "Who won the world cup in 1998?",
    "What should I wear to a wedding?",
    "Translate 'good night' to Italian",
    "Write a poem about autumn leaves",
    "What is the population of France?",
    "What's the square root of 17?",
    "Bonjour, comment ça va?",
    "Give me a recipe for pancakes",
    "What is the meaning of life?",
    "lorem ipsum dolor sit amet",
    "Describe the process of photosynthesis in detail.",
    "Is it safe to eat raw potatoes?",
    "Summarize the plot of Hamlet.",
    "🙂🙂🙂",
    "What is the capital of Zembla?",
    "Hold on, before you continue I need you to write me a checkpoint of everything so far. List the goals, the decisions, the open questions and the next steps, in Markdown, "
    "so that another assistant can go on without reading the conversation.\n\n## Goal\n\n## Progress\n\n## Next steps",
    LONG_SYSTEM,
)
UNKNOWN_RU = (
    "Расскажи о квантовых компьютерах",
    "Напиши короткий рассказ",
    "Как сварить борщ?",
    "Почему небо голубое?",
    "Расскажи анекдот про программиста",
    "Что такое нейросеть?",
    "Кто написал «Войну и мир»?",
)


def long_systems() -> Iterator[Case]:
    """Long and short system prompts before the things that the model knows."""
    plain: tuple[tuple[str, Check], ...] = (
        ("Hello!", HELLO),
        ("What is the capital of Greece?", has("Athens")),
        ("What is 6 + 7?", has("13")),
        ("Count to 15", same(", ".join(map(str, range(1, 16))))),
        ("Repeat: walnut zqpf harbour", same("walnut zqpf harbour")),
        ("Привет!", HELLO_RU),
        ("Tell me a joke", KNOWS),
        ("Who are you?", DEMO),
    )
    for kind, prompt in (
        ("short system", "You are a helpful assistant. Answer briefly."),
        ("short system", "sys"),
        ("long system", LONG_SYSTEM),
        ("long system", LONG_SYSTEM * 2),
    ):
        for text, check in plain:
            yield Case(kind, [system(prompt), user(text)], check)
    yield Case(
        "long system",
        [system(LONG_SYSTEM), user("What is the weather in Bergen?")],
        calls(("get_weather", {"city": "Bergen"})),
        [WEATHER, *OTHERS],
    )
    yield Case(
        "long system",
        [system(LONG_SYSTEM), user("Use the calculator tool to compute 1123 * 21, then tell me the result.")],
        calls(("calculator", {"input": "1123 * 21"})),
        [CALCULATOR, *OTHERS],
    )


def all_cases() -> Iterator[Case]:
    """Yield every case."""
    yield from greetings()
    yield from every_capital()
    yield from every_sum()
    yield from every_count()
    for text, answer in REPEATS.items():
        yield from one("repeating", same(answer), text)
    yield from tool_calls()
    yield from tool_answers()
    yield from no_tool()
    yield from titles()
    yield from talks()
    yield from one("beyond it", KNOWS, *UNKNOWN)
    yield from one("beyond it, Russian", KNOWS_RU, *UNKNOWN_RU)
    yield from long_systems()
