"""Text completions: prompts as they are, without a chat template."""
