def bench() -> None:
    """Placeholder until written in the next step."""
