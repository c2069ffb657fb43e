import dataclasses
import datetime
import decimal
import enum
import math
import pathlib
import typing
import uuid

import numpy as np
import pandas as pd
import pydantic
import pytest

from flowerpower_job_queue.coerce import CoercionError, coerce
from flowerpower_job_queue.jsonschema import json_schema


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Swapped(enum.Enum):
    A = "B"
    B = "A"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Window:
    start: datetime.date
    days: int = 7


class Options(typing.TypedDict):
    name: str
    limit: typing.NotRequired[int]


class Point(typing.NamedTuple):
    x: float
    y: float = 0.0


class Station(pydantic.BaseModel):
    name: str
    slots: int


UserId = typing.NewType("UserId", int)
UTC = datetime.UTC

ACCEPTED = [
    (typing.Any, {"a": [1]}, {"a": [1]}),
    (None, None, None),
    (bool, True, True),
    (int, 5, 5),
    (int, 5.0, 5),
    (float, 5, 5.0),
    (float, 0.1, 0.1),
    (float, "Infinity", math.inf),
    (str, "5", "5"),
    (bytes, "aGk=", b"hi"),
    (datetime.date, "2026-11-23", datetime.date(2026, 11, 23)),
    (datetime.date, datetime.date(2026, 11, 23), datetime.date(2026, 11, 23)),
    (datetime.datetime, "2026-11-23T06:00:00Z", datetime.datetime(2026, 11, 23, 6, tzinfo=UTC)),
    (datetime.datetime, "2026-11-23T06:00", datetime.datetime(2026, 11, 23, 6)),
    (pd.Timestamp, "2026-11-23T06:00:00", pd.Timestamp("2026-11-23T06:00:00")),
    (datetime.time, "06:30:00", datetime.time(6, 30)),
    (datetime.timedelta, "1h30m", datetime.timedelta(hours=1, minutes=30)),
    (datetime.timedelta, "PT90S", datetime.timedelta(seconds=90)),
    (datetime.timedelta, "P1DT2H", datetime.timedelta(days=1, hours=2)),
    (datetime.timedelta, "-250ms", datetime.timedelta(milliseconds=-250)),
    (decimal.Decimal, "9.99", decimal.Decimal("9.99")),
    (decimal.Decimal, 9.99, decimal.Decimal("9.99")),
    (pathlib.Path, "data/x.csv", pathlib.Path("data/x.csv")),
    (uuid.UUID, "12345678-1234-5678-1234-567812345678", uuid.UUID("12345678-1234-5678-1234-567812345678")),
    (Colour, "red", Colour.RED),
    (Colour, "GREEN", Colour.GREEN),
    (Level, 2, Level.HIGH),
    (typing.Literal["fast", "slow"], "fast", "fast"),
    (float | None, None, None),
    (float | None, 3, 3.0),
    (typing.Optional[datetime.date], "2026-11-23", datetime.date(2026, 11, 23)),  # noqa: UP045
    (int | str, "5", "5"),
    (int | float, 5, 5),
    (list[float], [1, 2.5], [1.0, 2.5]),
    (list, [1, "a"], [1, "a"]),
    (tuple[int, ...], [1, 2], (1, 2)),
    (tuple[int, str], [1, "a"], (1, "a")),
    (set[str], ["a", "b"], {"a", "b"}),
    (dict[str, datetime.date], {"a": "2026-11-23"}, {"a": datetime.date(2026, 11, 23)}),
    (dict[int, str], {"7": "seven"}, {7: "seven"}),
    (Window, {"start": "2026-11-23"}, Window(datetime.date(2026, 11, 23))),
    (Options, {"name": "x"}, {"name": "x"}),
    (Point, {"x": 1}, Point(1.0)),
    (Station, {"name": "Alex", "slots": 12}, Station(name="Alex", slots=12)),
    (UserId, 7, 7),
    (typing.Annotated[int, "a note"], 7, 7),
]


@pytest.mark.parametrize(("annotation", "value", "expected"), ACCEPTED, ids=str)
def test_takes_what_the_table_says(annotation, value, expected):
    taken = coerce(value, annotation)
    assert taken == expected
    assert type(taken) is type(expected)


REFUSED = [
    (bool, 1, None),
    (bool, "true", "true"),
    (int, True, None),
    (int, 5.5, None),
    (int, "5", "5"),
    (int, None, None),
    (int, 1e300, None),
    (float, True, None),
    (float, "5", "5"),
    (float, 2**53 + 1, None),
    (str, 5, '"5"'),
    (bytes, "not base64!", None),
    (datetime.date, "2026-02-30", None),
    (datetime.date, "2026-11-23T06:00:00", "2026-11-23"),
    (datetime.date, "20261123", None),
    (datetime.datetime, "2026-11-23", "2026-11-23T00:00:00"),
    (datetime.datetime, 1795413600, None),
    (datetime.timedelta, 90, "90s"),
    (datetime.timedelta, "P1M", None),
    (decimal.Decimal, 0.1234567890123456789, '"0.12345678901234568"'),
    (Colour, "blue", None),
    (Swapped, "A", None),
    (typing.Literal["fast"], "slow", None),
    (datetime.date | pathlib.Path, "2026-11-23", None),
    (tuple[int, str], [1], None),
    (set[str], ["a", "a"], None),
    (Window, {"start": "2026-11-23", "weeks": 1}, None),
    (Window, {}, None),
    (Station, {"name": "Alex", "slots": "many"}, None),
    (pd.DataFrame, {"a": [1]}, None),
    (np.ndarray, [1], None),
]


@pytest.mark.parametrize(("annotation", "value", "suggestion"), REFUSED, ids=str)
def test_refuses_what_is_ambiguous_or_wrong(annotation, value, suggestion):
    with pytest.raises(CoercionError) as refused:
        coerce(value, annotation)
    assert refused.value.suggestion == suggestion
    assert str(refused.value)


def test_says_where_inside_a_value():
    with pytest.raises(CoercionError) as refused:
        coerce([{"start": "2026-11-23", "days": "7"}], list[Window])
    assert refused.value.path == "[0].days"


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (int, {"type": "integer"}),
        (str | None, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (datetime.date, {"type": "string", "format": "date"}),
        (typing.Literal["a", "b"], {"enum": ["a", "b"]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
        (Colour, {"enum": ["red", "green", "RED", "GREEN"]}),
        (pd.DataFrame, {}),
        (typing.Any, {}),
    ],
    ids=str,
)
def test_the_schema_says_the_same_as_the_table(annotation, schema):
    assert json_schema(annotation) == schema
