"""Summaries and results: what is told of a value, and when the value itself is sent."""

import dataclasses
import datetime
import decimal
import json
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from flowerpower_job_queue.results import describe_result
from flowerpower_job_queue.summary import MAX_COLUMNS, summarize


class Hostile:
    def __repr__(self):
        raise RuntimeError("no repr")

    def __len__(self):
        raise RuntimeError("no len")


def test_a_frame_is_told_by_shape_columns_and_first_row():
    frame = pd.DataFrame({"station": ["Alex", "Zoo"], "trips": [3, 4]})
    summary = summarize(frame)
    assert summary["type"] == "pandas.DataFrame"
    assert summary["shape"] == [2, 2]
    assert summary["columns"] == [{"name": "station", "type": "str"}, {"name": "trips", "type": "int64"}]
    assert summary["preview"] == "2 rows, 2 columns; first: station='Alex', trips=3"


@pytest.mark.parametrize(
    ("value", "name", "shape"),
    [
        (pl.DataFrame({"a": [1, 2, 3]}), "polars.DataFrame", [3, 1]),
        (pa.table({"a": [1, 2, 3]}), "pyarrow.Table", [3, 1]),
        (np.zeros((2, 3)), "numpy.ndarray", [2, 3]),
        (pd.Series([1, 2]), "pandas.Series", [2]),
        (pd.DataFrame(), "pandas.DataFrame", [0, 0]),
        (np.array(5), "numpy.ndarray", []),
    ],
    ids=str,
)
def test_knows_the_usual_libraries(value, name, shape):
    summary = summarize(value)
    assert (summary["type"], summary["shape"]) == (name, shape)
    assert summary["preview"]
    json.dumps(summary, allow_nan=False)


@pytest.mark.parametrize(
    "index", [pd.date_range("2026-11-23", periods=7), pd.RangeIndex(7), pd.MultiIndex.from_product([[1], range(7)])]
)
def test_every_index_of_pandas_is_told(index):
    summary = summarize(index)
    assert (summary["shape"], summary["length"]) == ([7], 7)
    assert summary["preview"].endswith(", …]")


def test_is_bounded():
    wide = pd.DataFrame(np.zeros((1, 200)), columns=[f"column {i}" for i in range(200)])
    assert len(summarize(wide)["columns"]) == MAX_COLUMNS
    deep = [[[[["x" * 1000] * 100] * 100] * 100] * 100]
    for value in ("x" * 10**6, deep, dict.fromkeys(range(1000), "y" * 1000), b"z" * 10**6, 2**100_000):
        preview = summarize(value)["preview"]
        assert preview is not None
        assert len(preview) <= 500


def test_never_fails_and_never_calls_an_unknown_repr():
    assert summarize(Hostile())["type"].endswith("Hostile")
    assert "Hostile" in summarize([Hostile()])["preview"]
    recursive = []
    recursive.append(recursive)
    assert summarize(recursive)["length"] == 1


def test_does_not_compute_a_lazy_frame():
    computed = []
    lazy = pl.LazyFrame({"a": [1]}).map_batches(lambda frame: computed.append(1) or frame)
    assert summarize(lazy)["type"].endswith("LazyFrame")
    assert computed == []


def test_text_for_people_is_one_line_that_postgres_can_store():
    preview = summarize("a\nb\x00c\ud800")["preview"]
    assert "\n" not in preview
    assert "\x00" not in preview
    preview.encode()


@dataclasses.dataclass
class Pair:
    left: int
    right: str


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ({"a": [1, 2.5, None, True, "x"]}, {"a": [1, 2.5, None, True, "x"]}),
        ((1, 2), [1, 2]),
        (np.float64(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (datetime.date(2026, 11, 23), "2026-11-23"),
        (decimal.Decimal("9.99"), "9.99"),
        (Pair(1, "x"), {"left": 1, "right": "x"}),
        (2**53, 2**53),
    ],
    ids=str,
)
def test_sends_a_value_that_json_carries_unchanged(value, sent):
    result = describe_result(value, "full", 65536)
    assert result["omitted"] is None
    assert result["value"] == sent


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "nan"),
        ({"mean": float("-inf")}, "-inf"),
        (2**53 + 1, "2^53"),
        ("a\x00b", "NUL"),
        ("\ud800", "surrogate"),
        ({"__proto__": 1}, "__proto__"),
        ({1: "a"}, "a key of type int"),
        (pd.DataFrame({"a": [1]}), "pandas.DataFrame"),
        (pd.NaT, "NaTType"),
        (np.datetime64("2026-11-23", "ns"), "numpy.datetime64"),
        (Hostile(), "Hostile"),
        ("x" * 70_000, "too large: over 64 KB"),
        (list(range(10**6)), "too large"),
    ],
    ids=lambda value: str(type(value)),
)
def test_leaves_out_what_json_would_change_and_says_why(value, reason):
    result = describe_result(value, "full", 65536)
    assert "value" not in result
    assert reason in result["omitted"]


def test_a_value_that_contains_itself_is_left_out():
    recursive = {}
    recursive["self"] = recursive
    assert "nested deeper" in describe_result(recursive, "full", 65536)["omitted"]


def test_only_summaries_when_asked():
    assert "value" not in describe_result(1, "summary", 65536)


def test_reading_a_value_imports_nothing():
    before = set(sys.modules)
    summarize(object())
    assert set(sys.modules) == before
