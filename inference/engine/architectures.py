"""What must be known of single architectures because llama.cpp does not say it."""

# Computed beside others, a sequence of these models comes out different from the same one alone.
ONE_SEQUENCE = {
    "plamo2": "llama.cpp mixes up the sequences of this architecture when it computes several at once",
}


def sequence_limit(architecture: str) -> str:
    """Return why models of this architecture compute one sequence at a time, "" if they may compute several."""
    return ONE_SEQUENCE.get(architecture, "")
