"""Writes one dialogue, turn by turn: what is asked depends on the tools, the names told, the turn before."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from demo import asks, noise, phrases, schemas, toolkit
from demo.asks import Ask, phrase
from demo.schemas import Tool
from demo.tables import FALLBACK_EN

Message = dict[str, Any]

# How often each kind of plain question is asked; what tools serve is asked of them instead.
MIX = {
    "greet": 8,
    "greet_ru": 6,
    "identity": 8,
    "capital": 13,
    "add": 12,
    "count": 10,
    "repeat": 30,
    "small": 3,
    "tell": 7,
    "name": 2,
    "unknown": 24,
    "long": 4,
    "weather": 4,
    "arithmetic": 4,
}
SIMPLE: dict[str, Callable[[random.Random], Ask]] = {
    "greet": asks.greet,
    "greet_ru": asks.greet_ru,
    "identity": asks.identity,
    "capital": asks.capital,
    "count": asks.count,
    "repeat": asks.repeat,
    "small": asks.small_talk,
    "arithmetic": asks.arithmetic,
}


@dataclass
class Dialogue:
    """Messages, the tools offered, and for each assistant message whether it is to be learned."""

    messages: list[Message] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    learn: list[bool] = field(default_factory=list)
    hide_tools: bool = False

    def schemas(self) -> list[dict[str, Any]] | None:
        """Return what the request's `tools` holds."""
        return [tool.schema for tool in self.tools] if self.tools and not self.hide_tools else None

    def user(self, text: str) -> None:
        """Append a user message."""
        self.messages.append({"role": "user", "content": text})

    def assistant(self, text: str, learn: bool = True) -> None:
        """Append an assistant message."""
        self.messages.append({"role": "assistant", "content": text})
        self.learn.append(learn)

    def calls(self, calls: list[dict[str, Any]]) -> None:
        """Append an assistant message that calls tools (not learned when no tools are shown)."""
        self.messages.append({"role": "assistant", "content": None, "tool_calls": calls})
        self.learn.append(not self.hide_tools)

    def result(self, text: str) -> None:
        """Append a tool's result."""
        self.messages.append({"role": "tool", "content": text})


class Talk:
    """Writes one dialogue, turn by turn, and remembers what later turns depend on."""

    def __init__(self, rng: random.Random, room: int) -> None:
        self.rng, self.room = rng, room
        self.made, self.name, self.last = Dialogue(), "", ""
        self.tools: dict[str, Tool] = {}

    def open(self) -> None:
        """Decide on the system prompt and on the tools."""
        if self.rng.random() < 0.42:
            self.made.messages.append({"role": "system", "content": noise.system_prompt(self.rng, self.room)})
        if self.rng.random() < 0.5 and self.room >= 250:
            self._offer()

    def _offer(self) -> None:
        kinds = self.rng.choice((["weather"], ["calculator"], ["weather", "calculator"], []))
        most = min(6, self.room // 350)
        others = self.rng.choice((0, self.rng.randint(0, most), most))
        self.made.tools = schemas.offer(self.rng, kinds, others, short=self.room < 1000)
        self.tools = {tool.kind: tool for tool in self.made.tools if tool.kind != "other"}
        self.made.hide_tools = self.rng.random() < 0.08

    def turn(self) -> None:
        """Add one question with its answer."""
        usable = list(self.tools)
        if usable and self.rng.random() < 0.6:
            kind = self.rng.choice([*usable, "both"] if len(usable) == 2 else usable)
            {"weather": self._weather, "calculator": self._calculate, "both": self._both}[kind]()
            self.last = kind
        else:
            self._plain(self._ask())

    def _ask(self) -> Ask:
        weights = dict(MIX)
        if self.name:
            weights["name"] = 20
        if self.room <= 600:
            weights["long"] = 0
        if "weather" in self.tools:
            weights["weather"] = 0
        if "calculator" in self.tools:
            weights["add"] = weights["arithmetic"] = 0
        if self.made.tools:
            # A tool beside the one that is missing tempts the model to call it.
            weights["weather"], weights["arithmetic"] = 4 * weights["weather"], 4 * weights["arithmetic"]
        follows = {"capital": "capital", "add": "add", "tell": "name"}.get(self.last)
        if follows and weights[follows]:
            weights[follows] += 60
        self.last, before = self.rng.choices(list(weights), list(weights.values()))[0], self.last
        return self._make(self.last, before)

    def _make(self, kind: str, before: str) -> Ask:
        """Return an ask of the kind; after one of the same kind it may be a short follow-up."""
        rng = self.rng
        follows = kind == before and rng.random() < 0.7
        if kind == "tell":
            ask, self.name = asks.tell_name(rng)
            return ask
        makers: dict[str, Callable[[], Ask]] = {
            "capital": lambda: asks.capital_of(rng, phrases.CAPITAL_FOLLOW) if follows else asks.capital(rng),
            "add": lambda: asks.add(rng, phrases.SUM_FOLLOW if follows else phrases.SUM),
            "name": lambda: asks.ask_name(rng, self.name),
            "long": lambda: asks.long_unknown(rng, self.room),
            "weather": lambda: Ask(phrase(rng, phrases.WEATHER_ASKED, x=toolkit.city(rng)), FALLBACK_EN, ""),
            "unknown": self._unknown,
        }
        return makers[kind]() if kind in makers else SIMPLE[kind](rng)

    def _unknown(self) -> Ask:
        """Return a request that no offered tool serves either."""
        while True:
            ask = asks.unknown(self.rng)
            served = {
                "calculator": ask.title == "Math Question" or "Сколько будет" in ask.user,
                "weather": "погода" in ask.user or "температура" in ask.user,
            }
            if not any(served[kind] for kind in self.tools):
                return ask

    def _plain(self, ask: Ask) -> None:
        rng, user = self.rng, ask.user
        if rng.random() < 0.05 and self.last != "long":
            other = asks.unknown(rng).user if rng.random() < 0.5 else self._before()
            user = f"{other}\n\n{user}"
        if rng.random() < 0.05:
            user = rng.choice(("  ", "\n", " ", "")) + user + rng.choice((" ", "\n", "  ", "\n\n"))
        self.made.user(user)
        if rng.random() < (0.4 if self.last == "tell" else 0.07):
            self.made.assistant(self._odd(user), learn=False)
        else:
            self.made.assistant(ask.answer)

    def _before(self) -> str:
        """Return a user text that stands, unanswered, before the one to be answered."""
        return self.rng.choice((asks.greet, asks.capital, asks.count, asks.repeat, asks.identity))(self.rng).user

    def _odd(self, user: str) -> str:
        text = self.rng.choice(phrases.ODD)
        for mark, value in (
            ("{u}", user),
            ("{n}", str(self.rng.randint(1, 9))),
            ("{s}", noise.sentence(self.rng)),
        ):
            text = text.replace(mark, value)
        return text

    def _use(self, user: str, calls: list[tuple[Tool, str]], results: list[str], answer: str) -> None:
        made = self.made
        made.user(
            asks.roughen(self.rng, user) if len(calls) == 1 and self.rng.random() < 0.3 and user[-1] in ".?" else user
        )
        made.calls([toolkit.call(tool, value, i) for i, (tool, value) in enumerate(calls)])
        for result in results:
            made.result(result)
        made.assistant(answer)

    def _weather(self) -> None:
        rng, tool, place = self.rng, self.tools["weather"], toolkit.city(self.rng)
        result, quote = toolkit.weather_result(rng, place)
        roll = rng.random()
        if roll < 0.08:
            return self._use(
                phrase(rng, phrases.WEATHER_RU, x=place),
                [(tool, place)],
                [result],
                f"Погода в городе {place}: {quote}.",
            )
        if roll < 0.78:
            return self._use(
                phrase(rng, phrases.WEATHER_ASKED, x=place),
                [(tool, place)],
                [result],
                f"The weather in {place}: {quote}.",
            )
        other = toolkit.city(rng)
        second, words = toolkit.weather_result(rng, other)
        answer = f"The weather in {place}: {quote}. The weather in {other}: {words}."
        return self._use(
            phrase(rng, phrases.WEATHER_TWO, x=place, y=other),
            [(tool, place), (tool, other)],
            [result, second],
            answer,
        )

    def _calculate(self) -> None:
        rng, tool = self.rng, self.tools["calculator"]
        said, sent = toolkit.expression(rng)
        result, value = toolkit.sum_result(rng)
        roll = rng.random()
        if roll < 0.08:
            return self._use(
                phrase(rng, phrases.CALC_RU, x=sent), [(tool, sent)], [result], f"Результат {sent}: {value}."
            )
        user = phrase(rng, phrases.CALC_ASKED, x=said)
        if roll < 0.2:
            a, b = str(rng.randint(0, 99)), str(rng.randint(0, 10 ** rng.randint(1, 4)))
            sent, user = f"{a} + {b}", phrase(rng, phrases.CALC_SUM, a=a, b=b)
        elif roll < 0.35:
            sent = f"{rng.randint(0, 9)}{rng.choice((' + ', '+'))}{rng.randint(0, 9)}"
            user = phrase(rng, phrases.CALC_ASKED, x=sent)
        return self._use(user, [(tool, sent)], [result], f"The result of {sent} is {value}.")

    def _both(self) -> None:
        rng, place = self.rng, toolkit.city(self.rng)
        said, sent = toolkit.expression(rng)
        (sky, quote), (result, value) = toolkit.weather_result(rng, place), toolkit.sum_result(rng)
        answer = f"The weather in {place}: {quote}. The result of {sent} is {value}."
        calls = [(self.tools["weather"], place), (self.tools["calculator"], sent)]
        self._use(phrase(rng, phrases.BOTH, x=place, y=said), calls, [sky, result], answer)
