"""What an exception says of itself: when to try again."""

import datetime
import math

import pytest

from flowerpower_job_queue.errors import describe_error


class Busy(Exception):
    def __init__(self, retry_after):
        super().__init__("busy")
        self.retry_after = retry_after


class Hostile(Exception):
    @property
    def retry_after(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("after", "ms"), [(0, 0), (1.5, 1500), (2, 2000), (datetime.timedelta(minutes=1), 60_000)], ids=str
)
def test_seconds_and_timedeltas_are_told_in_milliseconds(after, ms):
    assert describe_error(Busy(after), "/")["retryAfterMs"] == ms


@pytest.mark.parametrize("after", [None, True, -1, math.nan, math.inf, 1e12, "5", [5]], ids=str)
def test_anything_else_asks_for_nothing(after):
    assert "retryAfterMs" not in describe_error(Busy(after), "/")


def test_an_exception_that_cannot_say_asks_for_nothing():
    assert "retryAfterMs" not in describe_error(Hostile(), "/")
    assert "retryAfterMs" not in describe_error(ValueError("x"), "/")
