"""How a model marks its thinking, for the engine, which has to know where the answer begins."""

from functools import lru_cache

from inference.chat.formats import MARKER, ToolFormat
from inference.chat.reasoning import PROMPT_TAGS, TAGS, opened_tag
from inference.engine.messages import Thinking


def find_thinking(template: str, prompt: str, tool_format: ToolFormat | None, budget: int | None) -> Thinking | None:
    """Return the marks around the thinking of an answer to `prompt`, None if the model is not known to think."""
    if tool_format and tool_format.thinking:
        return Thinking(*tool_format.thinking, budget=budget)
    opened = opened_tag(prompt)
    if opened:
        return Thinking(opened, PROMPT_TAGS[opened], is_open=True, budget=budget)
    begin = next((tag for tag in TAGS if tag in template), None)
    if begin is None or prompt.rstrip().endswith(TAGS[begin]):
        return None
    return Thinking(begin, TAGS[begin], budget=budget)


@lru_cache(maxsize=64)
def answer_markers(tool_format: ToolFormat | None) -> tuple[str, ...]:
    """Return the names of the control tokens that an answer is read by."""
    tags = MARKER.findall("".join((*PROMPT_TAGS, *PROMPT_TAGS.values())))
    return tuple(dict.fromkeys((*tags, *(tool_format.markers if tool_format else ()))))
