"""The log probabilities of a prompt's own tokens."""

from inference.engine.backend import LlamaBackend
from inference.engine.messages import TokenLogprob
from inference.engine.scheduler import Chunk


def score_prompt(llama: LlamaBackend, chunk: Chunk, last_row: int) -> None:
    """Note the log probability of every prompt token that follows a token of the chunk, just decoded up to a row."""
    sequence = chunk.sequence
    first = sequence.num_computed + 1
    if first == 1:
        sequence.prompt_logprobs.append(TokenLogprob(llama.vocabulary.spelling(sequence.tokens[0]), None))
    row = last_row - chunk.num_tokens + 1
    for token in sequence.tokens[first : first + chunk.num_tokens]:
        sequence.prompt_logprobs.append(llama.logprob(row, token, sequence.num_prompt_alternatives))
        row += 1
