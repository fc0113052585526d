"""From a conversation to a prompt, whatever the model's chat template is able to take."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from inference.chat import rewriting
from inference.chat.context import template_context
from inference.chat.messages import Message
from inference.chat.rewriting import WriteCall, hermes_call
from inference.chat.sandbox import MAX_SECONDS, Limits, TemplateRefused, render
from inference.chat.tool_schemas import complete_tools
from inference.chat.traits import template_traits

# For files without a template of their own. ChatML is what most of them were trained on.
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

# Put behind the text that is to be continued: where the text ends in the prompt, spaces and all.
END_OF_TEXT = "zqEndOfTheTextThatIsContinued"


@dataclass(frozen=True)
class Conversation:
    """What a template is to render. `write_call` is how calls are written where a template knows none."""

    messages: list[Message]
    tools: list[dict[str, Any]] | None
    write_call: WriteCall = hermes_call


Rewriting = Callable[[Conversation], Conversation]


def _of_messages(rewrite: Callable[[list[Message]], list[Message]]) -> Rewriting:
    return lambda conversation: replace(conversation, messages=rewrite(conversation.messages))


def _complete_tools(conversation: Conversation) -> Conversation:
    """Give tools without gaps, and an empty list instead of None."""
    return replace(conversation, tools=complete_tools(conversation.tools or []))


def _as_text(conversation: Conversation) -> Conversation:
    return replace(conversation, messages=rewriting.as_text(conversation.messages, conversation.write_call))


def _take_turns(conversation: Conversation) -> Conversation:
    return replace(conversation, messages=rewriting.take_turns(conversation.messages, conversation.write_call))


# Tried one after another while a template refuses. What changes least comes first.
REWRITINGS: tuple[Rewriting, ...] = (
    _complete_tools,
    _of_messages(rewriting.object_arguments),
    _of_messages(rewriting.short_call_ids),
    _of_messages(rewriting.think_in_content),
    _of_messages(rewriting.gather_system),
    _of_messages(rewriting.fold_system),
    _of_messages(rewriting.begin_with_user),
    _as_text,
    _take_turns,
)


def render_prompt(
    source: str,
    messages: list[Message],
    tools: list[dict[str, Any]] | None,
    bos_token: str = "",
    eos_token: str = "",
    variables: dict[str, Any] | None = None,
    continue_final: bool = False,
    write_call: WriteCall = hermes_call,
    max_seconds: float = MAX_SECONDS,
) -> str:
    """Return the prompt up to where the assistant's answer begins. Raises TemplateRefused.

    `messages` are normalised. `variables` are the request's own (`chat_template_kwargs`). With `continue_final` the
    prompt ends with the text of the last message, which is the assistant's, and no token that ends its turn.
    `write_call` writes the calls of earlier turns for templates that drop or refuse them. What else a template drops or
    refuses is said in another way, too: see `TemplateTraits.adapt` and REWRITINGS.
    """
    source, limits = source or CHATML, Limits(max_seconds)

    def attempt(conversation: Conversation) -> str:
        adapted = template_traits(source, max_seconds).adapt(conversation.messages, write_call)
        context = template_context(source, adapted, conversation.tools, bos_token, eos_token, variables)
        return render(source, {**context, "add_generation_prompt": not continue_final}, limits)

    if not continue_final:
        return _first_accepted(attempt, Conversation(messages, tools, write_call))
    prompt = _first_accepted(attempt, Conversation(_mark_end(messages), tools, write_call))
    return _cut_after(messages[-1]["content"], prompt)


def _first_accepted(attempt: Callable[[Conversation], str], conversation: Conversation) -> str:
    """Return the first attempt that succeeds. Raises the refusal of the very first if none does.

    A rewriting stays if the next refusal is another one: it has helped, but was not enough. Then all are tried again.
    """
    try:
        return attempt(conversation)
    except TemplateRefused as error:
        first = latest = error
    rewritings = deque(REWRITINGS)
    while rewritings:
        rewritten = rewritings.popleft()(conversation)
        if rewritten == conversation:
            continue
        try:
            return attempt(rewritten)
        except TemplateRefused as error:
            if str(error) != str(latest):
                conversation, latest = rewritten, error
                rewritings = deque(REWRITINGS)
    raise first


def _mark_end(messages: list[Message]) -> list[Message]:
    last = messages[-1]
    if last["role"] != "assistant" or "tool_calls" in last:
        raise TemplateRefused("only a last message that is the assistant's, without tool calls, can be continued")
    return [*messages[:-1], {**last, "content": last["content"] + END_OF_TEXT}]


def _cut_after(text: str, prompt: str) -> str:
    """Return the prompt up to the end of the text. White space before the text is the template's affair."""
    before, mark, _ = prompt.rpartition(END_OF_TEXT)
    if not mark or not before.endswith(text.lstrip()):
        raise TemplateRefused("it does not print the last message as it is, so that it cannot be continued")
    return before
