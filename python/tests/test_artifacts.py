"""What a run leaves: values that are no small JSON, files, a cut log. Read back with the libraries that made them."""

import datetime
import decimal
import gzip
import hashlib
import io
import json
import os
import stat
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from runtime_process import EXAMPLES, RuntimeProcess

from flowerpower_job_queue.artifact_formats import NotKept, format_of
from flowerpower_job_queue.artifact_store import FsspecStore, LocalStore, StoreError, answer, open_store
from flowerpower_job_queue.artifacts import Artifacts, files_in, media_type_of
from flowerpower_job_queue.protocol import ArtifactsRequest
from flowerpower_job_queue.results import describe_result, duration_text

MB = 1_000_000


def written(value, limit=100 * MB):
    made = format_of(value, limit)
    file = io.BytesIO()
    made.write(file)
    file.seek(0)
    return made, file


def requested(tmp_path: Path, **changes) -> ArtifactsRequest:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    limits = {
        "max_bytes": 100 * MB,
        "max_total_bytes": 500 * MB,
        "max_files": 200,
        "min_free_bytes": 0,
        "timeout_ms": 30_000,
    }
    place = {"url": (tmp_path / "store").as_uri(), "folder": "e/2026-11-23/a", "scratch_dir": str(scratch)}
    return ArtifactsRequest(**{**place, **limits, **changes})


def keep(request: ArtifactsRequest, is_cancelled=lambda: False, **values):
    told = {name: describe_result(value, "full", 65536) for name, value in values.items()}
    artifacts = Artifacts(request)
    artifacts.add_results(values, told)
    artifacts.store(is_cancelled)
    return told


FRAME = {"station": ["Alex", "Zoo"], "rides": [3, 4], "day": [datetime.date(2026, 11, 23)] * 2}


@pytest.mark.parametrize(
    ("value", "read", "same"),
    [
        (pd.DataFrame(FRAME), pd.read_parquet, pd.DataFrame.equals),
        (pl.DataFrame(FRAME), pl.read_parquet, pl.DataFrame.equals),
        (pa.table(FRAME), pq.read_table, pa.Table.equals),
        (pa.RecordBatch.from_pydict(FRAME), pq.read_table, lambda a, b: a.equals(pa.Table.from_batches([b]))),
        (pd.Series([1.5, 2.5], name="rides"), pd.read_parquet, lambda a, b: a["rides"].equals(b)),
        (pl.Series("rides", [1, 2]), pl.read_parquet, lambda a, b: a["rides"].equals(b)),
        (pd.DataFrame({"n": [1]}, index=["x"]), pd.read_parquet, pd.DataFrame.equals),
        (pd.DataFrame(), pd.read_parquet, lambda a, b: a.shape == b.shape),
    ],
    ids=lambda value: f"{type(value).__module__}.{type(value).__name__}" if not callable(value) else "",
)
def test_a_frame_becomes_parquet_that_its_library_reads_back(value, read, same):
    made, file = written(value)
    assert (made.ending, made.media_type) == ("parquet", "application/vnd.apache.parquet")
    assert same(read(file), value)


def test_a_frame_is_shown_by_its_columns_and_its_first_rows_in_words_that_json_has():
    table = pa.table(
        {
            "float": pa.array([1.5, float("nan"), float("-inf"), None]),
            "large": pa.array([2**60, 1, 2, 3]),
            "money": pa.array([decimal.Decimal("9.90")] * 4, pa.decimal128(5, 2)),
            "at": pa.array([datetime.datetime(2026, 11, 23, 6, tzinfo=datetime.UTC)] * 4),
            "took": pa.array([datetime.timedelta(minutes=90)] * 4),
            "raw": pa.array([b"\x00\xff"] * 4),
            "text": pa.array(["x" * 500, "a\x00b", "", "z"]),
            "many": pa.array([list(range(50))] * 4),
        }
    )
    made = format_of(table, MB)
    assert [column["name"] for column in made.schema] == table.column_names
    assert made.schema[2] == {"name": "money", "type": "decimal128(5, 2)"}
    first, second, third, fourth = made.preview
    assert first[:6] == [1.5, str(2**60), "9.90", "2026-11-23T06:00:00+00:00", "PT1H30M", "0x00ff"]
    assert first[6] == "x" * 200 + "…"
    assert first[7] == [*range(10), "…"]
    assert (second[0], third[0], fourth[0]) == ("NaN", "-Infinity", None)
    assert second[6] == "a\N{REPLACEMENT CHARACTER}b"
    json.dumps(made.preview, allow_nan=False)


def test_a_preview_is_bounded():
    wide = pd.DataFrame(np.zeros((100, 1000)), columns=[f"c{i}" for i in range(1000)])
    made = format_of(wide, MB)
    assert len(made.schema) == len(made.preview[0]) == 200
    assert len(made.preview) == 20
    long = pl.DataFrame({f"c{i}": ["y" * 1000] * 50 for i in range(100)})
    assert 0 < len(json.dumps(format_of(long, 10 * MB).preview)) < 70_000


def test_other_values_become_the_file_that_everybody_can_read():
    made, file = written("Grüße\x00")
    assert (made.ending, file.read().decode()) == ("txt", "Grüße\x00")
    for raw in (b"\x00\x01", bytearray(b"\x00\x01"), memoryview(b"\x00\x01")):
        made, file = written(raw)
        assert (made.ending, file.read()) == ("bin", b"\x00\x01")
    array = np.arange(6).reshape(2, 3)[:, ::-1]
    made, file = written(array)
    assert made.ending == "npy"
    assert np.array_equal(np.load(file, allow_pickle=False), array)
    made, file = written({"big": 2**70, "nul": "\x00", "__proto__": [True], "took": datetime.timedelta(hours=1)})
    assert made.ending == "json"
    assert json.load(file) == {"big": 2**70, "nul": "\x00", "__proto__": [True], "took": "PT1H"}


class Figure:
    """Stands for matplotlib.figure.Figure, which is not installed here: what counts is the class's name and place."""

    __module__ = "matplotlib.figure"

    def savefig(self, file, format):
        file.write(format.encode())


class Picture(type("Image", (), {"__module__": "PIL.Image"})):
    """Stands for PIL.PngImagePlugin.PngImageFile, whose base is PIL.Image.Image."""

    def save(self, file, format):
        file.write(format.encode())


@pytest.mark.parametrize("picture", [Figure(), Picture()], ids=["matplotlib", "PIL"])
def test_pictures_become_png_by_the_library_that_made_them(picture):
    made, file = written(picture)
    assert (made.media_type, file.read().lower()) == ("image/png", b"png")


class Unknown:
    pass


@pytest.mark.parametrize(
    ("value", "limit", "reason"),
    [
        (pd.DataFrame({"a": [1, "x"]}), MB, "does not fit into Parquet"),
        (pd.DataFrame({"a": [Unknown()]}), MB, "does not fit into Parquet"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), MB, "does not fit into Parquet"),
        (pl.DataFrame({"a": [Unknown()]}), MB, "does not fit into Parquet"),
        (pl.LazyFrame({"a": [1]}), MB, "not JSON: polars.LazyFrame"),
        (pd.DataFrame({"a": np.zeros(200_000)}), MB, "not kept: 1.6 MB, limit 1 MB"),
        ("x" * 2000, 1000, "not kept: 2 KB, limit 1 KB"),
        (b"x" * 2000, 1000, "not kept: 2 KB, limit 1 KB"),
        (np.zeros(1000), 1000, "not kept: 8 KB, limit 1 KB"),
        (np.array([object()]), MB, "only pickle could carry"),
        (np.ma.masked_array([1], [True]), MB, "mask"),
        ("\ud800", MB, "lone surrogate"),
        ({"scores": [{"value": float("nan")}]}, MB, "not JSON: nan at scores[0].value"),
        ({"frames": {"north": pd.DataFrame()}}, MB, "not JSON: pandas.DataFrame at frames.north"),
        ({"raw": b"x"}, MB, "not JSON: bytes at raw"),
        ({1: "x"}, MB, "a key of type int"),
        ([10**5000], MB, "not JSON"),
        (Unknown(), MB, "not JSON"),
        (list(range(1000)), 1000, "too large"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_no_file_can_carry_says_why(value, limit, reason):
    with pytest.raises(NotKept, match="not kept") as raised:
        written(value, limit)
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (datetime.timedelta(), "PT0S"),
        (datetime.timedelta(days=1, hours=2, minutes=30), "P1DT2H30M"),
        (datetime.timedelta(milliseconds=-1500), "-PT1.5S"),
        (datetime.timedelta(microseconds=10), "PT0.00001S"),
        (pd.Timedelta(1, "ns"), "P0DT0H0M0.000000001S"),
    ],
)
def test_durations_are_iso_8601(length, text):
    assert duration_text(length) == text
    assert describe_result(length, "full", 100)["value"] == text


def test_sets_are_arrays_in_order():
    assert describe_result({3, 1, 2}, "full", 100)["value"] == [1, 2, 3]
    assert sorted(describe_result(frozenset({"a", 1}), "full", 100)["value"], key=str) == [1, "a"]


@pytest.fixture(params=["local", "fsspec memory", "fsspec file"])
def store(request, tmp_path):
    if request.param == "local":
        return open_store((tmp_path / "store").as_uri())
    if request.param == "fsspec memory":
        return FsspecStore(f"memory://{tmp_path.name}")
    return FsspecStore((tmp_path / "store").as_uri())


def test_a_store_keeps_reads_lists_and_removes(store, tmp_path):
    def put(text, path):
        file = tmp_path / "made"
        file.write_text(text)
        store.put(file, path)

    put("hello", "e/day/one/a.txt")
    put("there", "e/day/two/b.txt")
    assert store.read("e/day/one/a.txt", 1, 4) == b"ell"
    assert store.names("e/day") == ["one", "two"]
    # Nothing unfinished is left beside it.
    assert store.names("e/day/one") == ["a.txt"]
    store.remove("e/day/one")
    store.remove("e/day/one")
    store.remove("e/day/two/b.txt")
    assert store.names("e/nothing") == []
    with pytest.raises(FileNotFoundError):
        store.read("e/day/one/a.txt", 0, 1)


def test_a_store_is_marked_once_whoever_is_first(store):
    assert store.identity(create=False) is None
    identities = {store.identity(create=True) for _ in range(3)}
    assert len(identities) == 1
    assert identities == {store.identity(create=False)}


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "a//b", "", "a/./b", "a\x00b", "~/x"])
def test_a_store_knows_only_its_own_paths(store, path):
    with pytest.raises(StoreError):
        store.read(path, 0, 1)


def test_a_local_store_is_its_owners_alone(tmp_path):
    store = LocalStore(tmp_path / "store")
    (tmp_path / "made").write_text("x")
    store.put(tmp_path / "made", "e/day/one/a.txt")
    for path in (tmp_path / "store", tmp_path / "store/e", tmp_path / "store/e/day/one"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "store/e/day/one/a.txt").stat().st_mode) == 0o600


def test_serves_what_a_process_without_python_asks(tmp_path):
    store = FsspecStore(f"memory://{tmp_path.name}")
    identity = answer(store, "identity", {"create": True})["id"]
    assert answer(store, "identity", {"create": False}) == {"id": identity}
    (tmp_path / "made").write_bytes(b"\x00\xff")
    store.put(tmp_path / "made", "e/a.bin")
    assert answer(store, "read", {"path": "e/a.bin", "start": 1, "end": 2}) == {"data": "/w=="}
    assert answer(store, "names", {"folder": "e"}) == {"names": ["a.bin"]}
    assert answer(store, "remove", {"paths": ["e/a.bin"]}) == {}
    assert answer(store, "names", {"folder": "e"}) == {"names": []}


def test_what_is_kept_is_told_with_its_length_and_hash(tmp_path):
    told = keep(requested(tmp_path), report=pd.DataFrame(FRAME), small=1, huge="x" * 100_000, lost=Unknown())
    assert told["small"]["value"] == 1
    assert "artifact" not in told["small"]
    report = told["report"]["artifact"]
    path = tmp_path / "store" / report["path"]
    assert report["path"] == "e/2026-11-23/a/result-1-report.parquet"
    assert report["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert report["bytes"] == path.stat().st_size
    assert told["report"]["omitted"] is None
    assert told["huge"]["artifact"]["mediaType"] == "text/plain; charset=utf-8"
    assert told["lost"]["artifact"] is None
    assert told["lost"]["omitted"].startswith("not kept: not JSON: ")
    assert os.listdir(tmp_path / "scratch") == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"min_free_bytes": 10**18}, "of disk are free"),
        ({"max_total_bytes": 150_000}, "a run keeps at most 150 KB"),
        ({"url": "nowhere://x"}, "the artifact store did not take it"),
        ({"url": "file:///proc/nothing"}, "the artifact store did not take it"),
    ],
)
def test_what_could_not_be_stored_says_why(tmp_path, changes, reason):
    told = keep(requested(tmp_path, **changes), first="x" * 100_000, second="y" * 100_000)
    assert told["second"]["artifact"] is None
    assert reason in told["second"]["omitted"]


class Slow:
    """A figure that takes as long as it is let."""

    __module__ = "matplotlib.figure"

    def __init__(self):
        self.begun = threading.Event()
        self.let = threading.Event()

    def savefig(self, file, format):
        self.begun.set()
        self.let.wait(30)
        file.write(format.encode())


Slow.__name__ = "Figure"


def test_a_cancel_ends_the_waiting_at_once_and_nothing_is_kept_afterwards(tmp_path):
    slow = Slow()
    told = keep(requested(tmp_path), is_cancelled=slow.begun.is_set, slow=slow, later="x" * 100_000)
    assert [one["artifact"] for one in told.values()] == [None, None]
    assert {one["omitted"] for one in told.values()} == {"not kept: the job was stopped before it was stored"}
    slow.let.set()
    for thread in threading.enumerate():
        if thread.name == "flowerpower-job-queue-artifacts":
            thread.join(30)
    assert told["slow"]["artifact"] is None
    assert not (tmp_path / "store").exists()


def test_a_limit_of_time_does_the_same(tmp_path):
    slow = Slow()
    told = keep(requested(tmp_path, timeout_ms=50), slow=slow)
    assert told["slow"]["omitted"] == "not kept: keeping artifacts took longer than 0.05 s"
    slow.let.set()


def test_files_are_found_without_following_links(tmp_path):
    folder = tmp_path / "run"
    (folder / "plots").mkdir(parents=True)
    (folder / "plots" / "b.png").write_bytes(b"png")
    (folder / "a.csv").write_text("a")
    (folder / "empty").mkdir()
    (folder / "link.txt").symlink_to("/etc/passwd")
    (folder / "outside").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    assert [str(path.relative_to(folder)) for path in files_in(folder)] == ["a.csv", "plots/b.png"]


def test_files_are_kept_up_to_their_number_and_size(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name, size in (("a.csv", 10), ("b.bin", 2000), ("c.txt", 10), ("d.txt", 10)):
        (folder / name).write_bytes(b"x" * size)
    artifacts = Artifacts(requested(tmp_path, max_bytes=1000, max_files=3))
    told = artifacts.add_files(str(folder))
    artifacts.store(lambda: False)
    assert [(one["name"], one["omitted"]) for one in told] == [
        ("a.csv", None),
        ("b.bin", "not kept: 2 KB, limit 1 KB"),
        ("c.txt", None),
        ("d.txt", "not kept: more than 3 files"),
    ]
    assert told[0]["artifact"]["mediaType"] == "text/csv"
    # A copy: the run's own file may still be in somebody's hands.
    assert (folder / "a.csv").exists()


def test_media_types_go_by_the_ending():
    assert media_type_of("x.parquet") == "application/vnd.apache.parquet"
    assert media_type_of("report.HTML") == "text/html"
    assert media_type_of("data.csv.gz") == "application/gzip"
    assert media_type_of("none") == "application/octet-stream"


def request_for(tmp_path: Path, **changes):
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return {
        "url": (tmp_path / "store").as_uri(),
        "folder": "e/2026-11-23/a",
        "scratchDir": str(scratch),
        "maxBytes": 100 * MB,
        "maxTotalBytes": 500 * MB,
        "maxFiles": 200,
        "minFreeBytes": 0,
        "timeoutMs": 30_000,
        **changes,
    }


CODE = """
    import os
    from pathlib import Path

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    def trips() -> pd.DataFrame:
        Path(os.environ["FLOWERPOWER_RUN_DIR"], "note.md").write_text("left behind")
        return pd.DataFrame({"station": ["Alex", "Zoo"], "rides": [3.0, float("nan")]})

    def lazy(trips: pd.DataFrame) -> pl.DataFrame:
        return pl.from_pandas(trips)

    def arrow(trips: pd.DataFrame) -> pa.Table:
        return pa.Table.from_pandas(trips)

    def count(trips: pd.DataFrame) -> int:
        return len(trips)
"""
YAML = "run: {final_vars: [trips, lazy, arrow, count], executor: {type: synchronous}}"


def test_a_run_of_flowerpower_leaves_its_frames_and_files(shared, tmp_path):
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    job = {"id": "job_1", "attempt": 1, "project": "test", "scheduledAt": "2026-11-23T06:00:00.000Z"}
    run = shared.run("leaves", CODE, YAML, artifacts=request_for(tmp_path), job={**job, "runDir": str(run_dir)})
    assert run.outcome == "succeeded", run.error
    results = run.ended["results"]
    assert results["count"] == {"summary": results["count"]["summary"], "value": 2, "omitted": None}
    for name in ("trips", "lazy", "arrow"):
        artifact = results[name]["artifact"]
        frame = pd.read_parquet(tmp_path / "store" / artifact["path"])
        assert list(frame["station"]) == ["Alex", "Zoo"]
        assert artifact["preview"][0] == ["Alex", 3.0]
    # pandas' NaN is its missing value; polars has been told so too.
    assert results["trips"]["artifact"]["preview"][1] == ["Zoo", None]
    (note,) = run.ended["files"]
    assert (note["name"], note["artifact"]["mediaType"]) == ("note.md", "text/markdown")
    assert run.ended["log"] is None
    assert run.ended["storedMs"] > 0
    assert run.ended["process"]["threads"] == []


def test_a_run_whose_results_are_not_wanted_leaves_nothing(shared, tmp_path):
    for mode in ("summary", "none"):
        run = shared.run("leaves", CODE, YAML, artifacts=request_for(tmp_path), results=mode)
        assert run.outcome == "succeeded"
        assert run.ended["files"] == []
        assert all("artifact" not in result for result in run.ended["results"].values())
    assert not (tmp_path / "store").exists()


def test_a_failed_run_leaves_its_files(shared, tmp_path):
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    code = """
        import os
        from pathlib import Path

        def out() -> int:
            Path(os.environ["FLOWERPOWER_RUN_DIR"], "half.csv").write_text("a,b")
            raise ValueError("no more")
    """
    job = {"id": "job_1", "attempt": 1, "project": "test", "scheduledAt": "2026-11-23T06:00:00.000Z"}
    run = shared.run(
        "breaks",
        code,
        "run: {final_vars: [out], executor: {type: synchronous}}",
        artifacts=request_for(tmp_path),
        job={**job, "runDir": str(run_dir)},
    )
    assert run.outcome == "failed"
    assert [one["name"] for one in run.ended["files"]] == ["half.csv"]
    assert run.ended["files"][0]["artifact"]["bytes"] == 3


def test_a_log_that_was_cut_is_kept_whole(tmp_path):
    with RuntimeProcess(EXAMPLES / "faults") as runtime:
        short = runtime.run("noisy", {"lines": 10}, artifacts=request_for(tmp_path))
        assert short.ended["log"] is None
        run = runtime.run("noisy", {"lines": 11_000}, artifacts=request_for(tmp_path))
    (dropped,) = run.of("log.dropped")
    assert dropped["data"]["lines"] > 0
    log = run.ended["log"]["artifact"]
    assert (log["mediaType"], log["path"]) == ("application/gzip", "e/2026-11-23/a/log.gz")
    lines = gzip.decompress((tmp_path / "store" / log["path"]).read_bytes()).decode().splitlines()
    assert len(lines) == len(run.of("log")) + dropped["data"]["lines"]
    texts = [event["data"]["text"] for event in run.of("log")]
    assert lines[0].endswith(texts[0])
    assert lines[-1].endswith(texts[-1])


def test_a_secret_among_the_final_variables_becomes_no_file(shared, tmp_path):
    code = """
        def count(api_token: str) -> int:
            return len(api_token)
    """
    yaml = "run: {final_vars: [api_token, count], executor: {type: synchronous}}"
    run = shared.run("tokens", code, yaml, {"api_token": "s" * 100_000}, artifacts=request_for(tmp_path))
    assert run.value("count") == 100_000
    assert "artifact" not in run.ended["results"]["api_token"]
    assert list((tmp_path / "store").glob("**/result-*")) == []
