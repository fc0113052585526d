"""More conversations than the server has sequences: each is away while others come, and then goes on."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from inference.bench.client import Address, ChatClient, Timing
from inference.bench.figures import FIRST_TOKEN_MEAN, FIRST_TOKEN_P95, Column, Figures, percentile, share
from inference.bench.scenarios.base import Case, Options, Server
from inference.bench.words import sentence, source

IN_FLIGHT = 8
TITLE_TOKENS = 16
REUSED = Column("reused", "reusable tokens cached", "%")


class Conversations:
    name = "conversations"
    explanation = (
        "More conversations than the server has sequences take turns; after its first turn each also asks for a title, "
        "as chat applications do. From the second turn on: how many of the prompt's tokens that the server had "
        "computed in the turn before were still cached, and the time to the first token."
    )
    columns = (REUSED, FIRST_TOKEN_MEAN, FIRST_TOKEN_P95)
    has_engine = False

    def cases(self, options: Options) -> list[Case]:
        kind = f"{options.conversations} × {options.turns} turns"
        return [Case(clients, kind) for clients in options.clients_or(IN_FLIGHT)]

    def measure(self, server: Server, case: Case, options: Options, seed: int) -> Figures:
        conversations = [
            Conversation.planned(seed + number, options.turns, options.prompt_words)
            for number in range(options.conversations)
        ]
        asyncio.run(_hold(server.address, conversations, case.clients, options.max_tokens))
        return figures_of(conversations)


@dataclass
class Conversation:
    """A chat with the user's messages `questions`; `turns` has what was measured of each, oldest first."""

    questions: list[str]
    messages: list[dict[str, str]] = field(default_factory=list)
    turns: list[Timing] = field(default_factory=list)

    @classmethod
    def planned(cls, seed: int, turns: int, words: int) -> "Conversation":
        generator = source(seed)
        return cls([sentence(generator, words) for _ in range(turns)])

    @property
    def later_turns(self) -> list[Timing]:
        """The turns that could reuse what the one before has computed."""
        return self.turns[1:]

    @property
    def reusable(self) -> list[int]:
        """Tokens of each later turn's prompt that were computed in the turn before: its prompt and its answer."""
        return [
            min(before.prompt_tokens + before.completion_tokens, turn.prompt_tokens)
            for before, turn in zip(self.turns, self.later_turns, strict=False)
        ]

    async def take_turn(self, client: ChatClient, max_tokens: int) -> None:
        self.messages.append({"role": "user", "content": self.questions[len(self.turns)]})
        timing = await client.chat(_body(self.messages, max_tokens))
        self.messages.append({"role": "assistant", "content": timing.text})
        self.turns.append(timing)
        if len(self.turns) == 1:
            await client.chat(_body([{"role": "user", "content": self._title_request()}], TITLE_TOKENS))

    def _title_request(self) -> str:
        said = "\n\n".join(f"{message['role']}: {message['content']}" for message in self.messages)
        return f"write a short title of five words or less for this conversation\n\n{said}"


def _body(messages: list[dict[str, str]], max_tokens: int) -> dict[str, Any]:
    return {"messages": messages, "max_tokens": max_tokens, "temperature": 0.8, "ignore_eos": True}


async def _hold(address: Address, conversations: list[Conversation], in_flight: int, max_tokens: int) -> None:
    """Take all turns; no conversation takes its next one before all others have taken theirs."""
    async with ChatClient(address) as client:
        for _ in conversations[0].questions:
            waiting = deque(conversations)

            async def take_turns(waiting: deque[Conversation]) -> None:
                while waiting:
                    await waiting.popleft().take_turn(client, max_tokens)

            await asyncio.gather(*(take_turns(waiting) for _ in range(in_flight)))


def figures_of(conversations: list[Conversation]) -> Figures:
    later = [turn for conversation in conversations for turn in conversation.later_turns]
    reusable = [tokens for conversation in conversations for tokens in conversation.reusable]
    first = [turn.first_token for turn in later]
    return {
        REUSED.key: share((turn.cached_tokens for turn in later), reusable),
        FIRST_TOKEN_MEAN.key: sum(first) / len(first),
        FIRST_TOKEN_P95.key: percentile(first, 95),
    }
