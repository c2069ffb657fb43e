"""The smallest pipeline: one node, one input without a default."""


def greeting(name: str) -> str:
    """Says hello."""
    return f"Hello, {name}!"
