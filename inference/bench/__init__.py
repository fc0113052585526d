"""Measures throughput and latency, over HTTP as a client sees them and inside the engine."""
