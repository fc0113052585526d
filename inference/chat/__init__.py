"""The chat protocol: messages to prompt text, generated text to message parts."""
