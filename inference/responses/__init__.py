"""The Responses API over the chat pipeline: its items become messages, the events of the answer become items."""
