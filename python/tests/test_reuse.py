"""Reuse with the real FlowerPower and Hamilton: what runs again, what does not, and what is said about it."""

import stat

import pytest
from conftest import ProjectFolder
from runtime_process import RuntimeProcess

# Nodes count their runs through a module that is not the project's, as a library would: nothing in the code says "writes".
MARKS = "ran = []\ndef mark(name):\n    ran.append(name)\n"
CODE = """
    from marks import mark

    def a(x: int) -> int:
        mark("a")
        return x + 1

    def b(a: int, y: int) -> int:
        mark("b")
        return helper(a) * y

    def helper(value: int) -> int:
        return value

    def c(b: int, fails: bool) -> int:
        mark("c")
        if fails:
            raise ValueError("told to")
        return b + 1

    def d(c: int, a: int) -> int:
        mark("d")
        return c + a
"""
YAML = "run:\n  final_vars: [d]\n  inputs: {x: 1, y: 2, fails: false}\n"


class Reusing:
    """A project and a store, with a runtime that is replaced when a test asks for it."""

    def __init__(self, project: ProjectFolder, folder, libraries):
        self.project = project
        self.folder = folder
        libraries.mkdir()
        (libraries / "marks.py").write_text(MARKS)
        self._env = {"PYTHONPATH": str(libraries)}
        self.runtime = RuntimeProcess(project.folder, env=self._env).__enter__()

    def restart(self):
        self.runtime.__exit__()
        self.runtime = RuntimeProcess(self.project.folder, env=self._env).__enter__()

    def run(self, mode="resume", inputs=None, job="job_1", attempt=1, pipeline="p", **changes):
        details = {"scopes": [], "recompute": [], "maxEntryBytes": 10**9, "minFreeBytes": 0}
        for key in [key for key in changes if key in details]:
            details[key] = changes.pop(key)
        reuse = None if mode == "none" else {"mode": mode, "folder": str(self.folder), **details}
        named = {"id": job, "attempt": attempt, "project": "t", "scheduledAt": "2026-11-23T06:00:00Z", "runDir": "/tmp"}
        run = self.runtime.run(pipeline, inputs, job=named, reuse=reuse, **changes)
        return Told(run)


class Told:
    def __init__(self, run):
        self.run = run
        self.ran = [event["node"] for event in run.of("node.started")]
        self.reused = [event["node"] for event in run.of("node.reused")]
        self.stored = [e["node"] for e in run.of("node.succeeded") if e["data"].get("stored")]

    def why(self, node: str) -> tuple[str, str]:
        [event] = [e for e in self.run.events if e["event"] in ("node.started", "node.reused") and e["node"] == node]
        reason = event["data"]["reason"]
        return reason["code"], reason["text"]


@pytest.fixture
def reusing(project, tmp_path):
    project.pipeline("p", CODE, YAML)
    reusing = Reusing(project, tmp_path / "store", tmp_path / "libraries")
    yield reusing
    reusing.runtime.__exit__()


def test_without_it_nothing_is_kept(reusing):
    told = reusing.run("none")
    assert (told.ran, told.stored) == (["a", "b", "c", "d"], [])
    assert told.run.of("node.started")[0]["data"] == {}
    assert not reusing.folder.exists()


def test_a_retry_runs_only_what_failed_and_what_is_below(reusing):
    first = reusing.run(inputs={"fails": True})
    assert first.run.outcome == "failed"
    assert (first.ran, first.stored) == (["a", "b", "c"], ["a", "b"])
    assert first.why("a") == ("nothing_stored", "no stored result")
    reusing.restart()
    second = reusing.run(inputs={"fails": False}, attempt=2)
    assert second.run.value("d") == 7
    assert (second.reused, second.ran) == (["a", "b"], ["c", "d"])
    [reused, _] = second.run.of("node.reused")
    reason = {"code": "hit", "text": "hit: computed by job_1, attempt 1", "job": "job_1", "attempt": 1}
    assert reused["data"]["reason"] == reason
    assert reused["data"]["summary"]["preview"] == "2"
    assert reused["data"]["stored"] is True
    assert second.run.logs() == []


def test_a_changed_input_runs_what_is_below_it(reusing):
    reusing.run()
    told = reusing.run(inputs={"y": 3}, attempt=2)
    assert told.run.value("d") == 9
    assert (told.reused, told.ran) == (["a"], ["b", "c", "d"])
    assert told.why("b") == ("input_changed", "input changed: y")
    assert told.why("c") == ("input_changed", "input changed: b")


def test_an_equal_value_stops_the_change(reusing):
    """`y` and `x` change so that `b` comes out the same: what is below `b` alone is reused."""
    reusing.run(inputs={"x": 1, "y": 2})
    told = reusing.run(inputs={"x": 3, "y": 1}, attempt=2)
    assert told.run.value("d") == 9
    assert (told.reused, told.ran) == (["c"], ["a", "b", "d"])


def test_resume_takes_nothing_of_other_jobs_and_full_does(reusing):
    reusing.run("resume", job="job_1")
    assert reusing.run("resume", job="job_2").reused == []
    assert reusing.run("resume", job="job_3", scopes=["job_1"]).reused == ["a", "b", "c", "d"]
    # What job 3 has used is its own: a rerun of it finds it there.
    assert reusing.run("resume", job="job_4", scopes=["job_3"]).reused == ["a", "b", "c", "d"]
    assert reusing.run("full", job="job_5").reused == []
    assert reusing.run("full", job="job_6").reused == ["b", "c", "d"]
    assert reusing.run("resume", job="job_7", scopes=["job_6"]).reused == ["a", "b", "c", "d"]


def test_full_runs_nodes_without_upstream_nodes(reusing):
    reusing.run("full", job="job_1")
    told = reusing.run("full", job="job_2")
    assert (told.reused, told.ran) == (["b", "c", "d"], ["a"])
    assert told.why("a")[0] == "no_upstream"
    assert told.why("b") == ("hit", "hit: computed by job_1, attempt 1")
    # The job's own attempts have seen the same data.
    assert reusing.run("full", job="job_2", attempt=2).reused == ["a", "b", "c", "d"]


def test_a_changed_file_is_read_again(reusing):
    code = """
        import pandas as pd
        from marks import mark

        def rows(path: str) -> pd.DataFrame:
            return pd.read_csv(path)

        def paths(path: str) -> list[str]:
            return [path]

        def others(paths: list[str]) -> int:
            return sum(len(pd.read_csv(path)) for path in paths)

        def total(rows: pd.DataFrame, others: int) -> int:
            mark("total")
            return int(rows["n"].sum()) + others
    """
    reusing.project.pipeline("p", code, "run: {final_vars: [total]}")
    file = reusing.project.write("data.csv", "n\n1\n2\n")
    assert reusing.run("full", {"path": str(file)}, job="job_1").run.value("total") == 5
    told = reusing.run("full", {"path": str(file)}, job="job_2")
    assert (told.reused, sorted(told.ran)) == (["total"], ["others", "paths", "rows"])
    assert told.why("others")[0] == "loads_or_saves"
    file.write_text("n\n1\n2\n10\n")
    told = reusing.run("full", {"path": str(file)}, job="job_3")
    assert told.run.value("total") == 16
    assert told.why("total")[0] == "input_changed"


def test_nodes_that_load_or_save_run_every_time(reusing):
    code = """
        import pandas as pd
        from hamilton.function_modifiers import dataloader, datasaver, load_from, save_to, source
        from hamilton.io import utils

        @dataloader()
        def raw(path: str) -> tuple[pd.DataFrame, dict]:
            return pd.read_csv(path), {"path": path}

        @load_from.json(path=source("settings"))
        def loaded(data: dict) -> int:
            return data["rows"]

        @save_to.csv(path=source("target"), output_name_="saved")
        def clean(raw: pd.DataFrame) -> pd.DataFrame:
            return raw * 2

        @datasaver()
        def written(clean: pd.DataFrame, loaded: int) -> dict:
            with open("written.txt", "a") as file:
                file.write("x")
            return {"rows": len(clean) + loaded}
    """
    reusing.project.pipeline("p", code, "run: {final_vars: [saved, written, loaded]}")
    file = reusing.project.write("data.csv", "n\n1\n2\n")
    target = reusing.project.folder / "out.csv"
    # Not a CSV too: Hamilton 1.87 gives pandas 3 an argument that it no longer has.
    settings = reusing.project.write("settings.json", '{"rows": 2}')
    inputs = {"path": str(file), "settings": str(settings), "target": str(target)}
    for mode in ("resume", "full"):
        for attempt in (1, 2):
            target.unlink(missing_ok=True)
            told = reusing.run(mode, inputs, job=f"job_{mode}", attempt=attempt)
            assert told.run.outcome == "succeeded", told.run.error
            assert target.exists()
            always = {"raw.loader", "raw", "loaded.load_data.data", "loaded.select_data.data", "saved", "written"}
            assert always <= set(told.ran)
            assert told.why("saved") == ("loads_or_saves", "loads or saves data")
            if attempt == 2:
                assert set(told.reused) == {"clean", "loaded"}
    assert (reusing.project.folder / "written.txt").read_text() == "xxxx"


def test_resume_warns_of_what_may_write(reusing):
    code = """
        from pathlib import Path

        def table(x: int) -> str:
            Path("table.txt").write_text(str(x))
            return "table.txt"

        def out(table: str, fails: bool) -> str:
            if fails:
                raise ValueError("told to")
            return table
    """
    reusing.project.pipeline("p", code, "run: {final_vars: [out], inputs: {x: 1, fails: true}}")
    reusing.run()
    told = reusing.run(inputs={"fails": False}, attempt=2)
    assert told.reused == ["table"]
    assert "table looks as if it writes something" in told.run.log("looks as if")["data"]["text"]
    other = reusing.run("full", {"fails": False}, job="job_2")
    assert other.why("table")[0] == "loads_or_saves"
    assert reusing.run("full", {"fails": False}, job="job_3").ran == ["table"]


def test_what_cannot_be_stored_runs_again_and_fails_nothing(reusing):
    code = """
        import threading

        def lock(x: int) -> object:
            return threading.Lock()

        def numbers(x: int) -> list[int]:
            return [x]

        def out(lock: object, numbers: list[int], fails: bool) -> int:
            if fails:
                raise ValueError("told to")
            return numbers[0]
    """
    reusing.project.pipeline("p", code, "run: {final_vars: [out], inputs: {x: 1, fails: true}}")
    first = reusing.run()
    assert first.stored == ["numbers"]
    told = reusing.run(inputs={"fails": False}, attempt=2)
    assert told.run.value("out") == 1
    assert (told.reused, told.ran) == (["numbers"], ["lock", "out"])
    code, text = told.why("lock")
    assert code == "not_reusable"
    assert "cannot pickle" in text
    assert told.run.logs() == []


@pytest.mark.parametrize(
    ("before", "after", "ran"),
    [
        ("return helper(a) * y", "return helper(a) * y * 2", ["b", "c", "d"]),
        ("    return value\n", "    return value + 5\n", ["b", "c", "d"]),
        ("return x + 1", "return x + 1  # a comment", []),
        ("def helper(value: int) -> int:\n", 'def helper(value: int) -> int:\n        """What."""\n', []),
        ("return c + a", "return c - a", ["d"]),
    ],
    ids=["body", "helper", "comment", "docstring", "last"],
)
def test_changed_code_runs_again(reusing, before, after, ran):
    reusing.run()
    assert before in CODE
    reusing.project.pipeline("p", CODE.replace(before, after), YAML)
    told = reusing.run(attempt=2)
    assert told.ran == ran
    if ran:
        assert told.why(ran[0]) == ("code_changed", "code changed")


def test_code_that_a_node_leads_to_in_other_modules(reusing):
    code = """
        import os
        from pipelines.lib import tools
        from pipelines.lib.more import LIMIT as limit, Scale
        from flowerpower.cfg import Config
        PARAMS = Config.load(os.getcwd(), pipeline_name="p").pipeline.params
        LEVEL = int(os.environ.get("LEVEL", "1"))

        def a(x: int) -> int: return tools.first(x)
        def b(x: int) -> int: return x + limit
        def c(x: int) -> int: return Scale(x).by()
        def d(x: int) -> int: return x * PARAMS["d"]
        def e(x: int) -> int:
            from pipelines.lib.late import late
            return late(x)
        def f(x: int) -> int: return x + LEVEL
    """
    files = {
        "tools": "def first(x):\n    return second(x)\ndef second(x):\n    return x\ndef third(x):\n    return x\n",
        "more": "LIMIT = 3\nclass Scale:\n    def __init__(self, x):\n        self.x = x\n    def by(self):\n"
        "        return self.x\n",
        "late": "from .deep import deep\ndef late(x):\n    return deep(x)\n",
        "deep": "def deep(x):\n    return x\n",
    }
    for name, text in files.items():
        reusing.project.write(f"pipelines/lib/{name}.py", text)
    yaml = "run: {final_vars: [a, b, c, d, e, f], inputs: {x: 1}}\nparams: {d: 2}\n"
    reusing.project.pipeline("p", code, yaml)
    assert sorted(reusing.run().ran) == list("abcdef")
    attempt = 2

    def ran() -> list[str]:
        nonlocal attempt
        attempt += 1
        told = reusing.run(attempt=attempt)
        assert told.run.outcome == "succeeded", told.run.error
        return sorted(told.ran)

    assert ran() == []
    reusing.project.write("pipelines/lib/tools.py", files["tools"].replace("third(x):\n    return x", "third(x): pass"))
    assert ran() == []
    reusing.project.write(
        "pipelines/lib/tools.py", files["tools"].replace("second(x):\n    return x", "second(x): return 2")
    )
    assert ran() == ["a"]
    reusing.project.write("pipelines/lib/more.py", files["more"].replace("3", "4"))
    assert ran() == ["b"]
    reusing.project.write("pipelines/lib/more.py", files["more"].replace("3", "4").replace("return self.x", "return 7"))
    assert ran() == ["c"]
    reusing.project.pipeline("p", code, yaml.replace("{d: 2}", "{d: 3}"))
    assert ran() == ["d"]
    reusing.project.write("pipelines/lib/deep.py", "def deep(x):\n    return x + 1\n")
    assert ran() == ["e"]
    reusing._env["LEVEL"] = "2"
    reusing.restart()
    assert ran() == ["f"]


def test_code_in_a_source_folder_beside_the_project(reusing, tmp_path):
    """An editable install, a folder on PYTHONPATH."""
    near = tmp_path / "libraries" / "near.py"
    text = "def one(x):\n    return two(x)\ndef two(x):\n    return x\ndef three(x):\n    return x\n"
    near.write_text(text)
    code = """
        import near
        def a(x: int) -> int: return near.one(x)
        def b(x: int) -> int: return near.three(x)
    """
    reusing.project.pipeline("p", code, "run: {final_vars: [a, b], inputs: {x: 1}}")
    reusing.run()
    assert reusing.run(attempt=2).ran == []
    near.write_text(text.replace("two(x):\n    return x", "two(x):\n    return x + 1"))
    told = reusing.run(attempt=3)
    assert told.run.value("a") == 2
    assert told.ran == ["a"]


def test_what_decorators_bring_along(reusing):
    code = """
        import os
        from hamilton.function_modifiers import config, parameterize, pipe_input, step, subdag, value
        from flowerpower.cfg import Config
        PARAMS = Config.load(os.getcwd(), pipeline_name="p").pipeline.h_params

        def _times(v: int, by: int) -> int: return v * by

        @pipe_input(step(_times, by=value(2)))
        def piped(x: int) -> int: return x

        @parameterize(**PARAMS["level"])
        def level(factor: int, piped: int) -> int: return factor * piped

        def inner(k: int) -> int: return k

        @subdag(inner, inputs={"k": value(3)})
        def nested(inner: int) -> int: return inner

        @config.when(kind="one")
        def chosen__one(piped: int) -> int: return 1
        @config.when(kind="two")
        def chosen__two(piped: int) -> int: return 2

        def out(level: int, nested: int, chosen: int) -> int: return level + nested + chosen
    """
    yaml = "run: {final_vars: [out], inputs: {x: 1}, config: {kind: one}}\nparams: {level: {factor: 5}}\n"
    reusing.project.pipeline("p", code, yaml)
    assert reusing.run().run.value("out") == 14
    steps = [
        (code, yaml, {}, set(), 14),
        (code, yaml.replace("5", "6"), {}, {"level", "out"}, 16),
        (code.replace("v * by", "v + by"), yaml, {}, {"piped.with_times", "piped", "level", "chosen", "out"}, 19),
        (code.replace("value(2)", "value(4)"), yaml, {}, {"piped.with_times", "piped", "level", "chosen", "out"}, 24),
        (code.replace("value(3)", "value(9)"), yaml, {}, {"nested.k", "nested.inner", "nested", "out"}, 20),
        (code, yaml, {"kind": "two"}, {"chosen", "out"}, 15),
    ]
    for number, (code_, yaml_, config, ran, out) in enumerate(steps):
        reusing.project.pipeline("p", code_, yaml_)
        told = reusing.run(job=f"job_a{number}", scopes=["job_1"], config=config)
        assert told.run.value("out") == out
        assert set(told.ran) == ran, number


def test_values_that_look_alike_are_not_taken_for_equal(reusing):
    """Hamilton's own hash takes these for one value each, and would give the one's value to the other."""
    code = """
        import pandas as pd
        from marks import mark

        def frame(x: int) -> pd.DataFrame:
            return pd.DataFrame({"n": [x]})

        def renamed(frame: pd.DataFrame) -> pd.DataFrame:
            return frame.rename(columns={"n": "m"})

        def number(x: int) -> int: return x
        def text(number: int) -> str: return str(number)
        def names(renamed: pd.DataFrame, text: str, number: int) -> list:
            return [list(renamed.columns), text, number]
    """
    reusing.project.pipeline("p", code, "run: {final_vars: [names, renamed, text], inputs: {x: 1}}")
    reusing.run()
    told = reusing.run(attempt=2)
    assert told.ran == []
    assert told.run.value("names") == [["m"], "1", 1]
    assert told.run.value("text") == "1"
    # Other columns with the same numbers in them are another input.
    reusing.project.pipeline("p", code.replace('"n": "m"', '"n": "k"'), "run: {final_vars: [names], inputs: {x: 1}}")
    assert reusing.run(attempt=3).run.value("names") == [["k"], "1", 1]


def test_recompute(reusing):
    reusing.run()
    told = reusing.run(attempt=2, recompute=["b"])
    assert (told.ran, told.reused) == (["b"], ["a", "c", "d"])
    assert told.why("b") == ("recompute_asked", "recompute asked")
    refused = reusing.run(recompute=["bb"]).run
    assert refused.problems()["recompute.0"]["suggestion"] == "b"


def test_hamiltons_own_decorator_is_heard(reusing):
    code = """
        from hamilton.function_modifiers import cache

        @cache(behavior="recompute")
        def a(x: int) -> int: return x
        @cache(behavior="disable")
        def b(a: int) -> int: return a
        @cache(behavior="ignore")
        def e(x: int) -> int: return x
        @cache(format="json")
        def c(a: int, e: int) -> dict: return {"v": a}
        @cache(behavior="default")
        def d(c: dict) -> int:
            open("written", "w").close()
            return 1
        def f(b: int) -> int: return b
    """
    reusing.project.pipeline("p", code, "run: {final_vars: [d, f], inputs: {x: 1}}")
    reusing.run("full", job="job_1")
    told = reusing.run("full", job="job_2")
    assert told.run.outcome == "succeeded"
    assert sorted(told.ran) == ["a", "b", "e", "f"]
    assert sorted(told.reused) == ["c", "d"]
    assert told.why("a")[0] == "recompute_asked"
    assert told.why("b")[0] == "not_reusable"


@pytest.mark.parametrize("executor", ["synchronous", "threadpool", "processpool"])
def test_branches_are_reused_one_by_one(reusing, executor):
    code = """
        from hamilton.htypes import Collect, Parallelizable

        def factor(x: int) -> int:
            return x

        def item(n: int) -> Parallelizable[int]:
            yield from range(n)

        def squared(item: int, factor: int) -> int:
            return item * item * factor

        def checked(squared: int, fails_at: int) -> int:
            if squared == fails_at:
                raise ValueError("told to")
            return squared

        def total(checked: Collect[int]) -> int:
            return sum(checked)
    """
    reusing.project.pipeline("p", code, "run: {final_vars: [total], inputs: {x: 1, n: 4, fails_at: -1}}")
    spread = {"type": executor, "maxWorkers": 2, "numCpus": None}
    first = reusing.run(executor=spread)
    assert first.run.value("total") == 14
    second = reusing.run(executor=spread, attempt=2)
    assert second.run.value("total") == 14
    assert second.ran == ["item"]
    branches = sorted(event["branch"] for event in second.run.of("node.reused") if event["node"] == "squared")
    assert branches == [f"expand-item.{i}.block-item" for i in range(4)]
    assert second.run.of("node.expanded")[0]["data"]["count"] == 4
    more = reusing.run(inputs={"n": 6}, executor=spread, attempt=3)
    assert more.run.value("total") == 55
    assert sorted(more.ran) == sorted(["item", "squared", "squared", "checked", "checked", "total"])
    failed = reusing.run(inputs={"n": 6, "fails_at": 16}, executor=spread, attempt=4)
    assert failed.run.error["branch"] == "expand-item.4.block-item"


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "empty"])
def test_a_damaged_entry_runs_again(reusing, damage):
    reusing.run()
    for file in [path for path in reusing.folder.rglob("*") if path.is_file()]:
        content = file.read_bytes()
        if damage == "gone":
            file.unlink()
        else:
            changed = {
                "cut": content[: len(content) // 2],
                "flipped": b"\x80" + content[1:-60] + content[-60:],
                "empty": b"",
            }
            file.write_bytes(changed[damage] if damage != "flipped" else bytes([content[0] ^ 1]) + content[1:])
    told = reusing.run(attempt=2)
    assert told.run.value("d") == 7
    assert (told.ran, told.reused) == (["a", "b", "c", "d"], [])
    assert told.why("a")[0] == "nothing_stored"
    assert reusing.run(attempt=3).reused == ["a", "b", "c", "d"]


def test_a_value_whose_class_has_gone_runs_again(reusing):
    code = """
        class Box:
            def __init__(self, v): self.v = v
        def box(x: int) -> object: return Box(x)
        def out(box: object) -> int: return box.v
    """
    reusing.project.pipeline("p", code, "run: {final_vars: [out], inputs: {x: 1}}")
    reusing.run()
    assert reusing.run(attempt=2).reused == ["box", "out"]
    changed = code.replace("Box:", "Bag:").replace("Box(", "Bag(")
    reusing.project.pipeline("p", changed, "run: {final_vars: [out], inputs: {x: 1}}")
    told = reusing.run(attempt=3)
    assert told.run.value("out") == 1
    # A class's methods are part of what its objects are, though a pickle has only its name.
    assert told.ran == ["box", "out"]


def test_a_store_that_fails_is_a_line_in_the_log(reusing):
    reusing.folder.mkdir(mode=0o755)
    reusing.folder.chmod(0o755)
    told = reusing.run()
    assert told.run.value("d") == 7
    assert told.ran == ["a", "b", "c", "d"]
    assert "must belong to this user alone" in told.run.log("Nothing is reused")["data"]["text"]
    reusing.folder.chmod(0o700)
    full = reusing.run(minFreeBytes=2**62)
    assert full.run.value("d") == 7
    assert full.stored == []
    assert "cannot be stored" in full.run.log("are free in")["data"]["text"]
    small = reusing.run(maxEntryBytes=1)
    assert small.run.value("d") == 7
    assert reusing.run(attempt=2).why("a") == ("not_reusable", "not reusable: its value has more than 0 MB")


def test_the_store_is_private_and_whole(reusing):
    reusing.run("full")
    assert stat.S_IMODE(reusing.folder.stat().st_mode) == 0o700
    files = [path for path in reusing.folder.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert not [file for file in files if file.suffix == ".tmp"]
    # Shared with the job's own scope without a copy.
    assert len({file.stat().st_ino for file in files}) == 4
    assert len(files) == 7


def test_two_runs_on_one_store(reusing, tmp_path):
    code = "import pandas as pd\ndef a(x: int) -> int: return x\ndef b(a: int) -> list: return [a] * 100000\n"
    reusing.project.pipeline("p", code, "run: {final_vars: [b], inputs: {x: 1}}")
    with RuntimeProcess(reusing.project.folder, env=reusing._env) as other:
        reuse = {
            "mode": "full", "folder": str(reusing.folder), "scopes": [], "recompute": [], "maxEntryBytes": 10**9,
            "minFreeBytes": 0,
        }  # fmt: skip
        for n in range(10):
            for runtime in (reusing.runtime, other):
                runtime.start("p", {"x": n % 3}, reuse=reuse)
            for runtime in (reusing.runtime, other):
                run = runtime.finish()
                assert run.outcome == "succeeded"
                assert run.logs() == []


def test_settings_take_it(shared):
    shared.project.pipeline("asks", "def out(x: int) -> int: return x\n", "job_queue: {job_defaults: {reuse: resume}}")
    assert shared.runtime.describe("asks")["asks"]["jobQueue"]["reuse"] == "resume"
    shared.project.pipeline("wrong", "def out(x: int) -> int: return x\n", "job_queue: {job_defaults: {reuse: resum}}")
    [problem] = shared.runtime.describe("wrong")["wrong"]["error"]["problems"]
    assert problem["suggestion"] == "resume"


def test_the_graph_says_what_the_plan_needs(shared):
    code = """
        import pandas as pd
        def rows(path: str) -> pd.DataFrame: return pd.read_csv(path)
        def count(rows: pd.DataFrame) -> int: return _helper(rows)
        def _helper(rows) -> int: return len(rows)
    """
    shared.project.pipeline("graph", code, "run: {final_vars: [count]}")
    nodes = {node["name"]: node for node in shared.runtime.describe("graph")["graph"]["graph"]["nodes"]}
    assert (nodes["rows"]["effect"], nodes["count"]["effect"]) == ("may_load", None)
    assert nodes["path"]["codeVersion"] is None
    shared.project.pipeline("graph", code.replace("len(rows)", "len(rows) + 1"), "run: {final_vars: [count]}")
    after = {node["name"]: node for node in shared.runtime.describe("graph")["graph"]["graph"]["nodes"]}
    assert nodes["rows"]["codeVersion"] == after["rows"]["codeVersion"]
    assert nodes["count"]["codeVersion"] != after["count"]["codeVersion"]
    assert nodes["count"]["codeHash"] == after["count"]["codeHash"]
