"""The engine: continuous batching over one llama.cpp context. Knows neither Django nor asyncio."""
