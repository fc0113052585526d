"""How many tokens an engine has computed, for those who want to know how fast it is."""

from dataclasses import dataclass

from inference.engine.messages import Output


@dataclass
class TokenCounts:
    """Since the model was loaded. cached: those of the prompts' tokens that did not have to be computed."""

    generated: int = 0
    prompt: int = 0
    cached: int = 0

    def add(self, output: Output) -> None:
        """Count the tokens of one more output."""
        self.generated += output.num_tokens
        if start := output.start:
            self.prompt += start.prompt_tokens
            self.cached += start.cached_tokens
