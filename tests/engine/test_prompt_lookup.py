"""PromptLookup: what came next the last time."""

import random

from inference.engine.prompt_lookup import LONGEST_MATCH, NgramIndex, PromptLookup

EAGER = 0.01  # drafts whatever was found


def tokens(text: str) -> list[int]:
    return [ord(char) for char in text]


def draft(lookup: PromptLookup, text: str, most: int = 8) -> str:
    return "".join(map(chr, lookup.propose(tokens(text), most)))


def generated(lookup: PromptLookup, prompt: str, answer: str, most: int = 8) -> list[str]:
    """Return the drafts before each character of an answer."""
    text = tokens(prompt)
    drafts = []
    for char in answer:
        drafts.append("".join(map(chr, lookup.propose(text, most))))
        text.append(ord(char))
    return drafts


def test_nothing_is_proposed_without_a_repetition():
    assert draft(PromptLookup(EAGER), "") == ""
    assert draft(PromptLookup(EAGER), "ab") == ""
    assert draft(PromptLookup(EAGER), "abcdefgh") == ""


def test_two_tokens_are_no_repetition():
    assert draft(PromptLookup(EAGER), "abcdef bc") == ""


def test_what_came_next_is_proposed():
    assert draft(PromptLookup(EAGER), "the quick brown fox; the quick") == " brown f"


def test_no_more_is_proposed_than_asked_for():
    assert draft(PromptLookup(EAGER), "the quick brown fox; the quick", most=2) == " b"
    assert draft(PromptLookup(EAGER), "the quick brown fox; the quick", most=0) == ""


def test_a_short_match_gets_a_short_draft():
    assert draft(PromptLookup(), "abcdefgh abc") == "d"
    assert draft(PromptLookup(EAGER), "abcdefgh abc") == "defgh ab"


def test_the_longest_match_wins_over_the_latest():
    assert draft(PromptLookup(EAGER), "one two three, six two four, one two ", most=5) == "three"


def test_the_latest_of_equal_matches_wins():
    assert draft(PromptLookup(EAGER), "key: value1 key: value2 key: value", most=1) == "2"


def test_a_copy_is_followed_past_other_matches():
    prompt = "A: first the red house. B: then the red horse. A: first the red "
    assert generated(PromptLookup(), prompt, "house. B", most=1)[1:] == list("ouse. B")


def test_a_run_is_continued_after_an_exchanged_token():
    lookup = PromptLookup(EAGER)
    drafts = generated(lookup, "def total(values, start=0): | ", "def total(valueX, start=0)", most=4)
    assert drafts[len("def total(valueX")] == ", st"


def test_two_exchanged_tokens_end_a_run():
    drafts = generated(PromptLookup(EAGER), "def total(values, start=0): | ", "def total(XXXX, ", most=4)
    assert drafts[len("def total(XX")] == ""


def test_a_period_is_repeated():
    assert draft(PromptLookup(EAGER), "| - | - | - | -", most=10) == " | - | - |"


def test_a_text_that_never_goes_on_the_same_way_gets_no_more_drafts():
    lookup, text, num_drafted = PromptLookup(), [], 0
    for number in range(1000, 1300):
        text += [1, 2, 3]
        num_drafted += len(lookup.propose(text, 8))
        text.append(number)
    assert num_drafted < 5


def test_drafts_come_back_once_they_would_be_right():
    lookup, text = PromptLookup(), []
    for number in range(1000, 1100):
        text += [1, 2, 3]
        lookup.propose(text, 0)
        text.append(number)
    copied = text[:60]
    lengths = []
    for token in copied:
        lengths.append(len(lookup.propose(text, 8)))
        text.append(token)
    assert lengths[-1] == 8


def test_the_index_finds_what_a_search_finds():
    draw = random.Random(3)
    index, text = NgramIndex(), []
    for _ in range(400):
        text.append(draw.randrange(5))
        index.extend(text)
        if len(text) < 3:
            continue
        position, length = index.longest(text)
        lengths = {end: suffix(text, end) for end in range(3, len(text))}
        candidates = [end for end in reversed(lengths) if lengths[end] >= 3][:16]
        best = max((lengths[end] for end in candidates), default=0)
        assert length == best
        assert position == next((end for end in candidates if lengths[end] == best), 0)


def suffix(text: list[int], end: int) -> int:
    """Return how many tokens before `end` equal the last ones, up to LONGEST_MATCH."""
    length = 0
    while length < min(end, LONGEST_MATCH) and text[end - 1 - length] == text[-1 - length]:
        length += 1
    return length
