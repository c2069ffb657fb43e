"""What is told of a node beside its value: by how much the process grew, and numbers about the columns of a frame."""

import math
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute
import pytest
from runtime_process import PACKAGE

from flowerpower_job_queue import column_statistics
from flowerpower_job_queue.summary import summarize

FRAME = {"whole": [1, 2, 6], "part": [0.5, None, 2.5], "text": ["a", "b", None], "yes": [True, False, True]}


def statistics(value):
    return {column["name"]: column.get("statistics") for column in summarize(value, statistics=True)["columns"]}


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(FRAME),
        pd.DataFrame(FRAME).convert_dtypes(),
        pd.DataFrame(FRAME).convert_dtypes(dtype_backend="pyarrow"),
        pl.DataFrame(FRAME),
        pa.table(FRAME),
    ],
    ids=["pandas", "pandas nullable", "pandas arrow", "polars", "arrow"],
)
def test_numeric_columns_have_statistics(frame):
    assert statistics(frame) == {
        "whole": {"min": 1, "max": 6, "mean": 3, "nulls": 0},
        "part": {"min": 0.5, "max": 2.5, "mean": 1.5, "nulls": 1},
        "text": None,
        "yes": None,
    }


def test_they_are_asked_for():
    assert "statistics" not in summarize(pd.DataFrame(FRAME))["columns"][0]


def test_what_json_cannot_carry_is_left_out():
    infinite = statistics(pd.DataFrame({"a": [1.0, math.inf], "b": [math.nan, math.nan]}))
    assert infinite["a"] == {"min": 1, "max": None, "mean": None, "nulls": 0}
    assert infinite["b"] == {"min": None, "max": None, "mean": None, "nulls": 2}
    assert statistics(pd.DataFrame({"a": pd.Series([], dtype="float64")}))["a"] == {
        "min": None, "max": None, "mean": None, "nulls": 0,
    }  # fmt: skip


def test_a_column_named_like_a_secret_has_none():
    assert statistics(pd.DataFrame({"api_key": [1, 2], "amount": [3, 4]}))["api_key"] is None


def test_odd_columns_do_no_harm():
    frame = pd.DataFrame([[1, 2, 3]], columns=["same", "same", 7])
    assert [column.get("statistics", {}).get("min") for column in summarize(frame, statistics=True)["columns"]] == [
        1,
        2,
        3,
    ]
    mixed = pd.DataFrame({"a": [object(), 2]})
    assert statistics(mixed) == {"a": None}
    assert statistics(pd.DataFrame({"c": [1 + 2j]}))["c"] is None


def test_a_large_frame_has_a_schema_and_no_statistics():
    rows = column_statistics.MAX_BYTES // 8 + 1
    columns = summarize(pd.DataFrame({"a": np.zeros(rows)}), statistics=True)["columns"]
    assert columns == [{"name": "a", "type": "float64"}]


def test_what_takes_too_long_is_left_out(monkeypatch):
    monkeypatch.setattr(column_statistics, "MAX_SECONDS", 0.0)
    found = statistics(pd.DataFrame({"a": [1], "b": [2]}))
    assert found["a"] is not None
    assert found["b"] is None


SHAPES = """
    import pandas as pd

    def table(n: int) -> pd.DataFrame:
        return pd.DataFrame({"a": range(n)})

    def kept(table: pd.DataFrame) -> list[int]:
        return list(table["a"])

    def out(kept: list[int]) -> int:
        return len(kept)
"""


def data_of(run, node):
    [event] = [e for e in run.of("node.succeeded") if e["node"] == node]
    return event["data"]


def test_statistics_are_on_until_a_yaml_turns_them_off(shared):
    yaml = "run: {final_vars: [out], inputs: {n: 3}}\n"

    def column(run):
        return data_of(run, "table")["summary"]["columns"][0]

    assert column(shared.run("shapes", SHAPES, yaml))["statistics"] == {"min": 0, "max": 2, "mean": 1, "nulls": 0}
    off = "job_queue: {job_defaults: {statistics: off}}\n"
    assert "statistics" not in column(shared.run("shapes", SHAPES, yaml + off))
    shared.project.write("conf/project.yml", f"name: test\n{off}")
    try:
        assert "statistics" not in column(shared.run("shapes", SHAPES, yaml))
        on = "job_queue: {job_defaults: {statistics: 'on'}}\n"
        assert "statistics" in column(shared.run("shapes", SHAPES, yaml + on))
    finally:
        shared.project.write("conf/project.yml", "name: test\n")
    described = shared.run("shapes", SHAPES, yaml + "job_queue: {statistics: maybe}\n")
    assert (
        described.problems()["conf/pipelines/shapes.yml: job_queue.statistics"]["message"] == "expected one of on, off"
    )


def test_a_node_that_keeps_memory_is_seen_to_grow(shared):
    code = """
        def kept(size: int) -> bytearray:
            return bytearray(b"x") * size

        def out(kept: bytearray) -> int:
            return len(kept)
    """
    run = shared.run("grows", code, "run: {final_vars: [out], inputs: {size: 50000000}}\n")
    assert 40_000_000 < data_of(run, "kept")["memoryGrowthBytes"] < 90_000_000
    assert data_of(run, "out")["memoryGrowthBytes"] < 10_000_000


def test_beside_another_node_growth_belongs_to_none(shared):
    code = """
        import threading
        from hamilton.htypes import Collect, Parallelizable

        def item() -> Parallelizable[int]:
            yield from range(2)

        meet = threading.Barrier(2, timeout=20)

        def met(item: int) -> int:
            return meet.wait() * 0 + item

        def out(met: Collect[int]) -> int:
            return sum(met)
    """
    run = shared.run("beside", code, "run: {final_vars: [out], executor: {type: threadpool, max_workers: 2}}\n")
    assert [e["data"]["memoryGrowthBytes"] for e in run.of("node.succeeded") if e["node"] == "met"] == [None, None]
    # A thread's own processor time is known all the same.
    assert all(e["data"]["cpuMs"] is not None for e in run.of("node.succeeded"))
    assert data_of(run, "out")["memoryGrowthBytes"] is not None


def test_a_frame_that_was_looked_at_is_the_same_to_reuse():
    """The first look at a nullable type fills what pandas keeps with it, for the whole process."""
    code = """
        import pandas as pd
        from flowerpower_job_queue.fingerprint import fingerprint
        from flowerpower_job_queue.summary import summarize

        frame = pd.DataFrame({"a": pd.array([1, 2], dtype="Int64")})
        before = fingerprint(frame, {})
        summarize(frame, statistics=True)
        assert frame.a.dtype.kind == "i"
        assert fingerprint(frame, {}) == before
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=PACKAGE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
