"""Measures servers of the OpenAI API as their clients see them, with one load client for all of them."""
