"""Which tokens a sequence may generate next: thinking first, then free text or what a grammar allows."""

from typing import Protocol

import numpy as np

from inference.engine.messages import Constraint, Thinking


class ConstraintError(Exception):
    """The grammar came to a state in which it allows nothing."""


class Tokens(Protocol):
    """What a guide needs of the vocabulary."""

    size: int
    end_tokens: list[int]

    def tokenize(self, text: str) -> list[int]: ...

    def spelling(self, token: int) -> bytes: ...

    def is_end(self, token: int) -> bool: ...


class Matcher(Protocol):
    """What a guide needs of llguidance's LLMatcher."""

    def deep_copy(self) -> "Matcher": ...

    def unsafe_compute_mask_ptr(self, trg_pointer: int, trg_byte_size: int) -> None: ...

    def consume_tokens(self, sampled_tokens: list[int]) -> bool: ...

    def is_accepting(self) -> bool: ...

    def is_error(self) -> bool: ...

    def get_error(self) -> str: ...


class Phase(Protocol):
    """A part of the answer. `allowed` returns the ids of the tokens that may come next, None for all of them.

    `accept` takes one of them and returns the phase that goes on from there, None if there is none.
    """

    def allowed(self) -> np.ndarray | None: ...

    def accept(self, token: int) -> "Phase | None": ...


class Guide:
    """Follows one sequence: before each token `allowed` says which ones may come, `accept` takes the chosen one.

    `grammar` is the compiled constraint, which the guide copies. Both methods raise ConstraintError.
    """

    def __init__(
        self, tokens: Tokens, constraint: Constraint | None, grammar: Matcher | None, thinking: Thinking | None
    ) -> None:
        self._phase = _Plan(tokens, constraint, grammar, thinking).start()

    def allowed(self) -> np.ndarray | None:
        return self._phase.allowed()

    def accept(self, token: int) -> bool:
        """Return False, and change nothing, if the token leads to where the grammar cannot go on."""
        phase = self._phase.accept(token)
        if phase is None:
            return False
        self._phase = phase
        return True


class _Plan:
    """What stays the same for the whole sequence, and how one phase follows another."""

    def __init__(
        self, tokens: Tokens, constraint: Constraint | None, grammar: Matcher | None, thinking: Thinking | None
    ) -> None:
        self.tokens = tokens
        self.constraint = constraint
        self.grammar = grammar
        self.thinking = thinking
        self.triggers = constraint.triggers if constraint else ()
        self.is_required = constraint is not None and not constraint.triggers

    def start(self) -> Phase:
        if self.thinking is None:
            return self.answer("")
        return self.think("") if self.thinking.is_open else _Opening(self)

    def think(self, text: str) -> Phase:
        if self.thinking.budget == 0:
            return self.end_thinking()
        return _Thinking(self, text)

    def end_thinking(self) -> Phase:
        return _Forced(self.tokens.tokenize(self.thinking.end), self.answer(""))

    def answer(self, rest: str) -> Phase | None:
        """Return the phase after the thinking, whose last token brought `rest` along; None if that cannot be."""
        if self.is_required:
            return self.follow(rest)
        return _Text(self).read(rest)

    def follow(self, rest: str) -> Phase | None:
        """Begin the grammar with a text that is there already; None if it cannot begin so."""
        matcher = self.grammar.deep_copy()
        if rest and not matcher.consume_tokens(self.tokens.tokenize(rest)):
            return None
        return _Grammar(self, matcher).next()

    def spell(self, token: int) -> str:
        return self.tokens.spelling(token).decode(errors="replace")


class _Forced:
    """Tokens that have to come."""

    def __init__(self, tokens: list[int], then: Phase) -> None:
        self._tokens = tokens
        self._then = then

    def allowed(self) -> np.ndarray:
        return np.array(self._tokens[:1])

    def accept(self, token: int) -> Phase:
        rest = self._tokens[1:]
        return _Forced(rest, self._then) if rest else self._then


class _Opening:
    """The beginning of an answer that may open with thinking."""

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan
        self._tag = plan.tokens.tokenize(plan.thinking.begin)
        self._answer = plan.answer("")
        self._text = ""

    def allowed(self) -> np.ndarray | None:
        allowed = self._answer.allowed()
        return None if allowed is None else np.append(allowed, self._tag[0])

    def accept(self, token: int) -> Phase | None:
        plan = self._plan
        if plan.is_required:
            is_tag = token == self._tag[0]
            return self._open() if is_tag else self._answer.accept(token)
        if plan.tokens.is_end(token):
            return self
        text = self._text + plan.spell(token)
        start, begin = text.lstrip(), plan.thinking.begin
        if start.startswith(begin):
            return plan.think(start[len(begin) :])
        if not begin.startswith(start):
            return plan.answer(text)
        self._text = text
        return self

    def _open(self) -> Phase:
        rest, thinking = self._tag[1:], self._plan.think("")
        return _Forced(rest, thinking) if rest else thinking


class _Thinking:
    """What the model thinks, until its end is written or the budget is spent."""

    def __init__(self, plan: _Plan, text: str) -> None:
        self._plan = plan
        self._text = text
        self._num_tokens = 0

    def allowed(self) -> None:
        return None

    def accept(self, token: int) -> Phase | None:
        plan, end = self._plan, self._plan.thinking.end
        if plan.tokens.is_end(token):
            return None if plan.is_required else self
        text = self._text + plan.spell(token)
        if end in text:
            return plan.answer(text.partition(end)[2])
        self._text = text[-len(end) :]
        self._num_tokens += 1
        return plan.end_thinking() if self._num_tokens == plan.thinking.budget else self


class _Text:
    """Free text, in which triggers are looked for."""

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan
        self._is_watching = bool(plan.triggers)
        self._longest = max(map(len, plan.triggers), default=0)
        self._text = ""

    def allowed(self) -> None:
        return None

    def accept(self, token: int) -> Phase | None:
        if not self._is_watching or self._plan.tokens.is_end(token):
            return self
        return self.read(self._plan.spell(token))

    def read(self, text: str) -> Phase | None:
        text = self._text + text
        found = [text.find(trigger) for trigger in self._plan.triggers if trigger in text]
        if found and self._is_watching:
            return self._plan.follow(text[min(found) :])
        if self._plan.constraint is not None and self._plan.constraint.only_first:
            text = text.lstrip()
            self._is_watching = any(trigger.startswith(text) for trigger in self._plan.triggers)
        self._text = text[-self._longest :] if self._longest else ""
        return self


class _Grammar:
    """What the grammar allows."""

    def __init__(self, plan: _Plan, matcher: Matcher) -> None:
        self._plan = plan
        self._matcher = matcher
        self._mask = np.zeros((plan.tokens.size + 31) // 32, np.int32)

    def allowed(self) -> np.ndarray:
        self._matcher.unsafe_compute_mask_ptr(self._mask.ctypes.data, self._mask.nbytes)
        bits = np.unpackbits(self._mask.view(np.uint8), bitorder="little")
        allowed = np.flatnonzero(bits[: self._plan.tokens.size].view(np.bool_))  # quicker than of numbers
        if self._matcher.is_error() or not len(allowed):
            raise ConstraintError(self._matcher.get_error() or "the grammar allows no token")
        return allowed

    def accept(self, token: int) -> Phase:
        if self._plan.tokens.is_end(token):
            return self
        if not self._matcher.consume_tokens([token]):
            raise ConstraintError(self._matcher.get_error())
        return self.next()

    def next(self) -> Phase:
        """Leave a grammar that began with a trigger as soon as it is satisfied."""
        if self._plan.is_required or not self._matcher.is_accepting():
            return self
        return _Text(self._plan) if self._plan.constraint.repeats else _End(self._plan)


class _End:
    """The sequence has said what it may say."""

    def __init__(self, plan: _Plan) -> None:
        self._allowed = np.array(plan.tokens.end_tokens)

    def allowed(self) -> np.ndarray:
        return self._allowed

    def accept(self, token: int) -> Phase:
        return self
