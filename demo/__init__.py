"""The embedded demo model: its dialogues, its training and its evaluation."""
