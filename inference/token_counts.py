"""How many tokens an engine has computed, for those who want to know how fast it is."""

from dataclasses import dataclass

from inference.engine.messages import Output


@dataclass(frozen=True)
class TokenCounts:
    """Since the model was loaded. cached: those of the prompts' tokens that did not have to be computed."""

    generated: int = 0
    prompt: int = 0
    cached: int = 0

    def after(self, output: Output) -> "TokenCounts":
        """Return the counts with those of one more output."""
        start = output.start
        return TokenCounts(
            self.generated + output.num_tokens,
            self.prompt + (start.prompt_tokens if start else 0),
            self.cached + (start.cached_tokens if start else 0),
        )
