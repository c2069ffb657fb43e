"""`@pipe_input` and `@pipe_output` put steps before and after a function, each a node."""

from hamilton.function_modifiers import pipe_input, pipe_output, source, step, value


def _trimmed(text: str) -> str:
    return text.strip()


def _repeated(text: str, times: int) -> str:
    return text * times


def _exclaimed(text: str, mark: str) -> str:
    return text + mark


@pipe_input(
    step(_trimmed).named("trimmed"),
    step(_repeated, times=source("times")).named("repeated"),
    namespace="before",
)
@pipe_output(step(_exclaimed, mark=value("!")).named("exclaimed"))
def shout(text: str) -> str:
    """The text, loud."""
    return text.upper()
