"""`@check_output`: a node for the value, one for each check, one that passes the value on."""

from hamilton.function_modifiers import check_output


@check_output(range=(0, 100), importance="fail")
def percent(part: float, whole: float) -> float:
    """A share, which is at most all of it."""
    return 100 * part / whole


def told(percent: float) -> str:
    """As a sentence."""
    return f"{percent:.0f} percent"
