"""Does a served model answer conversations that run together exactly as it answers each request alone?"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import takewhile
from operator import eq
from random import Random
from typing import Any, Literal, TypeVar

import httpx

from tests.model_facts import ModelFacts

CONTEXT = 256  # tokens; what llama.cpp's own tiny models are made for
ANSWER = 24  # tokens
CONVERSATIONS = 4
SHARED = 48  # tokens with which the last two conversations both begin
VECTOR_TOLERANCE = 1e-3
TIE = 1e-3  # log probabilities this close may change places: other batches add in another order
TOGETHER, ALONE = "together", "alone"  # the names of the two registrations of a file
TURNS = ("opening", "continuation", "edit")
REFUSED_CODES = ("load_failed",)

Outcome = Literal["exact", "tie", "refused", "wrong", "crashed"]
T = TypeVar("T")


class Refused(Exception):
    """The server says in a sentence that it cannot serve the model."""


class Crashed(Exception):
    """A request that was accepted failed."""


@dataclass(frozen=True)
class Result:
    """What came of one file. tie: an answer went another way where two tokens were as likely, and only there.

    continued, edited: the share of those prompts that came from the cache; None where there is no cache.
    difference: the largest difference of a token's log probability, as far as the answers are the same, or of a
    vector's component.
    """

    outcome: Outcome
    detail: str = ""
    continued: float | None = None
    edited: float | None = None
    difference: float | None = None


@dataclass(frozen=True)
class Answer:
    """A greedy answer: the texts of its tokens, those likeliest in the place of each, and what came from the cache."""

    tokens: tuple[str, ...]
    likeliest: tuple[dict[str, float], ...]
    num_prompt: int
    num_cached: int


class Checker:
    """Sends requests to the two registrations of a file on the server at `base_url`."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=300)

    def check(self, kind: str, facts: ModelFacts) -> Result:
        """Check the file that is registered."""
        checks = {"chat": lambda: self._check_chat(facts), "embedding": self._check_embeddings}
        try:
            return checks.get(kind, self._check_ranking)()
        except Refused as refusal:
            return Result("refused", str(refusal))
        except Crashed as crash:
            return Result("crashed", str(crash))

    def close(self) -> None:
        self._http.close()

    def _check_chat(self, facts: ModelFacts) -> Result:
        ids = {text: token for token, text in enumerate(facts.spellings)}
        has_cache = facts.memory != "none"  # a diffusion model has none, and cannot score its prompts
        self._complete(TOGETHER, [0])  # loads the model, so that the conversations begin at the same time
        conversations = _at_once(lambda number: self._converse(number, ids), range(CONVERSATIONS))
        asked = [turn for turns in conversations for turn in turns]
        pairs = [(answer, self._complete(ALONE, prompt, is_scored=has_cache)) for prompt, answer in asked]
        assert not any(alone.num_cached for _, alone in pairs)
        return Result(
            **_verdict(pairs),
            continued=_share_reused(turns[1][1] for turns in conversations) if has_cache else None,
            edited=_share_reused(turns[2][1] for turns in conversations) if has_cache else None,
            difference=_largest_difference(_comparable(*pair) for pair in pairs),
        )

    def _converse(self, number: int, ids: dict[str, int]) -> list[tuple[list[int], Answer]]:
        """Ask three times: an opening, its answer and something more, and the same with another ending."""
        random, common = Random(number), Random(-1)
        shared = _some_tokens(common, SHARED, ids) if number >= CONVERSATIONS - 2 else []
        opening = [*shared, *_some_tokens(random, 20 + 8 * number, ids)]
        first = self._complete(TOGETHER, opening)
        known = [*opening, *(ids[text] for text in first.tokens)]
        continued, edited = ([*known, *_some_tokens(random, 10 + 5 * number, ids)] for _ in range(2))
        return [(opening, first), *((prompt, self._complete(TOGETHER, prompt)) for prompt in (continued, edited))]

    def _complete(self, model: str, prompt: list[int], is_scored: bool = False) -> Answer:
        """Answer a prompt. One that is scored (its log probabilities are asked for) never comes from the cache."""
        request = {"prompt": prompt, "max_tokens": ANSWER, "temperature": 0, "ignore_eos": True, "logprobs": 2}
        body = self._post("completions", model, **request, echo=is_scored)
        logprobs, usage = body["choices"][0]["logprobs"], body["usage"]
        return Answer(
            tuple(logprobs["tokens"][-ANSWER:]),
            tuple(logprobs["top_logprobs"][-ANSWER:]),
            usage["prompt_tokens"],
            usage["prompt_tokens_details"]["cached_tokens"],
        )

    def _check_embeddings(self) -> Result:
        def embed(model: str, text: str) -> list[float]:
            return self._post("embeddings", model, input=text)["data"][0]["embedding"]

        return self._check_numbers(embed)

    def _check_ranking(self) -> Result:
        def rank(model: str, text: str) -> list[float]:
            body = self._post("rerank", model, query="What is it?", documents=[text])
            return [result["relevance_score"] for result in body["results"]]

        return self._check_numbers(rank)

    def _check_numbers(self, compute: Callable[[str, str], list[float]]) -> Result:
        texts = [" ".join("abcde"[(number + index) % 5] for index in range(6 * (number + 1))) for number in range(4)]
        together = _at_once(lambda text: compute(TOGETHER, text), texts)
        alone = [compute(ALONE, text) for text in texts]
        difference = _largest_difference(zip(together, alone, strict=True))
        return Result("exact" if difference < VECTOR_TOLERANCE else "wrong", difference=difference)

    def _post(self, path: str, model: str, **fields: Any) -> dict[str, Any]:
        response = self._http.post(path, json={"model": model, **fields})
        if response.status_code == httpx.codes.OK:
            return response.json()
        error = response.json()["error"]
        raise (Refused if error["code"] in REFUSED_CODES else Crashed)(error["message"])


def _verdict(pairs: list[tuple[Answer, Answer]]) -> dict[str, Any]:
    """Return outcome and detail: which answers went another way, and from which token on."""
    ties = {index: _is_tie(*pair) for index, pair in enumerate(pairs) if pair[0].tokens != pair[1].tokens}
    outcome = "exact" if not ties else "tie" if all(ties.values()) else "wrong"
    names = [
        f"{TURNS[index % len(TURNS)]} {index // len(TURNS) + 1} from token {_num_same(*pairs[index]) + 1} on"
        for index in ties
    ]
    return {"outcome": outcome, "detail": ", ".join(names)}


def _num_same(together: Answer, alone: Answer) -> int:
    """Return how many tokens are the same before the first that is not."""
    return len(list(takewhile(bool, map(eq, together.tokens, alone.tokens))))


def _is_tie(together: Answer, alone: Answer) -> bool:
    place = _num_same(together, alone)
    likeliest = alone.likeliest[place]
    return likeliest[alone.tokens[place]] - likeliest.get(together.tokens[place], float("-inf")) < TIE


def _comparable(together: Answer, alone: Answer) -> tuple[list[float], list[float]]:
    """Return the log probabilities of the tokens that are the same."""
    tokens = together.tokens[: _num_same(together, alone)]
    return tuple([answer.likeliest[place][token] for place, token in enumerate(tokens)] for answer in (together, alone))


def _share_reused(answers: Iterable[Answer]) -> float:
    answers = list(answers)
    return sum(answer.num_cached for answer in answers) / sum(answer.num_prompt for answer in answers)


def _largest_difference(pairs: Iterable[tuple[Sequence[float], Sequence[float]]]) -> float:
    return max((abs(left - right) for pair in pairs for left, right in zip(*pair, strict=True)), default=0)


def _some_tokens(random: Random, count: int, ids: dict[str, int]) -> list[int]:
    return random.choices(sorted(ids.values()), k=count)


def _at_once(function: Callable[[Any], T], arguments: Sequence[Any]) -> list[T]:
    with ThreadPoolExecutor(len(arguments)) as threads:
        return list(threads.map(function, arguments))
