"""The bodies of answers, as the OpenAI reference describes them (https://platform.openai.com/docs/api-reference)."""
