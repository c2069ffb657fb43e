"""Runs: FlowerPower's and Hamilton's traps, each with what a person should see instead."""

import os
import signal
import sys
import textwrap

import pytest
from runtime_process import EXAMPLES, RuntimeProcess

ONE = "def out(x: int) -> int:\n    return x + 1\n"
ONE_YAML = "run:\n  inputs: {x: 1}\n  final_vars: [out]\n"


def test_tells_the_exact_path_before_the_first_node(faults):
    run = faults.run("branches", {"items": 2})
    assert run.value("total") == 1
    assert run.events[0]["event"] == "run.resolved"
    assert run.events[0]["data"]["path"] == ["item", "waited", "squared", "total"]
    assert [m["seq"] for m in run.messages] == list(range(1, run.ended["events"] + 1))


@pytest.mark.parametrize("executor", ["synchronous", "threadpool", "processpool"])
def test_every_branch_is_told(faults, executor):
    run = faults.run("branches", {"items": 4}, executor={"type": executor, "maxWorkers": 2, "numCpus": None})
    assert run.value("total") == 14
    [expanded] = run.of("node.expanded")
    assert (expanded["node"], expanded["data"]) == ("item", {"count": 4, "nodes": ["waited", "squared"]})
    ended = sorted((e["node"], e["branch"]) for e in run.of("node.succeeded") if e["branch"])
    assert ended == sorted((n, f"expand-item.{i}.block-item") for i in range(4) for n in ("waited", "squared"))
    order = [(e["event"], e.get("node")) for e in run.events]
    collect = order.index(("node.started", "total"))
    assert all(event[1] == "total" for event in order[collect:])


@pytest.mark.parametrize("executor", ["threadpool", "processpool"])
def test_a_branch_that_fails_is_named(faults, executor):
    run = faults.run("branches", {"fails_at": 2}, executor={"type": executor, "maxWorkers": 2, "numCpus": None})
    assert run.outcome == "failed"
    assert run.error["branch"] == "expand-item.2.block-item"
    assert run.error["node"] == "squared"
    assert run.error["message"] == "item 2 was told to fail"


def test_an_empty_fan_ends(faults):
    run = faults.run("branches", {"items": 0})
    assert run.value("total") == 0
    assert run.of("node.expanded")[0]["data"]["count"] == 0


def test_the_error_is_the_nodes_own(faults):
    run = faults.run("fails", {"at": "second"})
    error = run.error
    assert (error["kind"], error["type"], error["message"]) == ("PIPELINE", "ValueError", "second was told to fail")
    assert error["classes"][:2] == ["builtins.ValueError", "builtins.Exception"]
    assert error["file"] == "pipelines/fails.py"
    assert error["code"].startswith("raise ValueError")
    assert error["excerpt"] == {
        "from": 18,
        "lines": (EXAMPLES / "faults/pipelines/fails.py").read_text().splitlines()[17:22],
    }
    assert error["excerpt"]["lines"][error["line"] - 18].strip() == error["code"]
    assert "hamilton" not in error["traceback"]
    [failed] = run.of("node.failed")
    assert failed["data"]["inputs"]["first"]["preview"] == "1"
    assert failed["data"]["error"] == error
    assert run.logs() == []  # Hamilton's five tellings of the same, with banners.


def test_never_retries_by_itself(shared):
    code = """
        from pathlib import Path
        def out(file: Path) -> int:
            file.open("a").write("x")
            raise ConnectionError("away")
    """
    marks = shared.project.folder / "marks"
    yaml = "run:\n  final_vars: [out]\n  retry: {max_retries: 3, retry_delay: 0, retry_exceptions: [ConnectionError]}\n"
    run = shared.run("retries", code, yaml, {"file": str(marks)})
    assert marks.read_text() == "x"
    assert run.ended["retry"]["retryExceptions"] == ["ConnectionError"]
    assert run.ended["retry"]["maxRetries"] == 3


def test_an_implicit_retry_does_not_count_as_written(shared):
    assert shared.run("plain", ONE, ONE_YAML).ended["retry"] is None


@pytest.mark.parametrize(
    ("changes", "path", "suggestion"),
    [
        ({"finalVars": []}, "finalVars", None),
        ({"finalVars": ["outt"]}, "finalVars.0", "out"),
        ({"inputs": {"xx": 1}}, "inputs.xx", "x"),
        ({"inputs": {"out": 1}}, "inputs.out", None),
        ({"inputs": {"x": "1"}}, "inputs.x", "1"),
        ({"inputs": {"x": None}}, "inputs.x", None),
        ({"config": {"x": 1}, "inputs": {"x": 1}}, "inputs.x", None),
        ({"executor": {"type": "treadpool", "maxWorkers": None, "numCpus": None}}, "executor.type", "threadpool"),
        (
            {"executor": {"type": "ray", "maxWorkers": None, "numCpus": None}},
            "executor.type",
            f"{sys.executable} -m pip install ray",
        ),
        ({"executor": {"type": None, "maxWorkers": 0, "numCpus": None}}, "executor.maxWorkers", None),
        ({"logLevel": "INF"}, "logLevel", "INFO"),
        ({"config": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": {"k": 1}}}}}}}}}}}}, "config", None),
        ({"pipeline": "chek"}, "pipeline", "check"),
        ({"pipeline": "../secrets"}, "pipeline", None),
    ],
    ids=str,
)
def test_a_request_that_does_not_fit_is_refused_before_any_node(shared, changes, path, suggestion):
    shared.project.pipeline("check", ONE, "run:\n  final_vars: [out]\n  inputs: {x: 1}\n")
    inputs = changes.pop("inputs", {})
    pipeline = changes.pop("pipeline", "check")
    run = shared.runtime.run(pipeline, inputs, **changes)
    assert run.events == []
    assert path in run.problems(), run.problems()
    assert run.problems()[path]["suggestion"] == suggestion


def test_without_final_variables_the_leaves_are_offered(shared):
    run = shared.run(
        "leaves", "def a(x: int) -> int: return x\ndef b(a: int) -> int: return a\n", "run: {inputs: {x: 1}}"
    )
    assert run.problems()["finalVars"]["message"].endswith("nodes that nothing depends on: b")


def test_inputs_and_config_may_be_results_as_hamilton_gives_them_back(project):
    code = """
        from hamilton.function_modifiers import config
        @config.when(mode="fast")
        def out__fast(x: int, unused: int = 0) -> int: return x + 1
        def away(url: str, api_token: str, link: str) -> str: return url
    """
    yaml = """
        run:
          final_vars: [out, x, mode, place, url, api_token, link]
          inputs: {x: 1, url: "${WAREHOUSE}", api_token: abc, link: "ftp://me:word@host/"}
          config: {mode: fast, place: "${WAREHOUSE}"}
    """
    project.pipeline("given", code, textwrap.dedent(yaml))
    with RuntimeProcess(project.folder, env={"WAREHOUSE": "db.example"}) as runtime:
        run = runtime.run("given")
        assert (run.value("out"), run.value("x"), run.value("mode")) == (2, 1, "fast")
        for name in ("place", "url", "api_token", "link"):
            result = run.ended["results"][name]
            assert "stays where it is" in result["omitted"]
            assert (result["summary"]["type"], result["summary"]["preview"]) == ("str", None)
            assert "value" not in result
        missing = runtime.run("given", finalVars=["unused"])
        assert "inputs.unused" in missing.problems()


def test_a_missing_input_is_named_with_its_type(shared):
    run = shared.run("missing", ONE, "run: {final_vars: [out]}")
    assert run.problems()["inputs.x"]["message"] == "missing; the type is int"


def test_what_exists_under_another_config_is_told(shared):
    code = """
        from hamilton.function_modifiers import config
        @config.when(source="csv")
        def spend__csv() -> int: return 1
        def out(spend: int) -> int: return spend
    """
    run = shared.run("elsewhere", code, "run: {final_vars: [out]}")
    assert "exists under another config" in run.problems()["inputs.spend"]["message"]
    assert shared.runtime.run("elsewhere", config={"source": "csv"}).value("out") == 1


def test_a_whole_number_is_taken_for_a_float(shared):
    code = "import datetime\ndef out(x: float, day: datetime.date) -> str: return f'{x!r} {day}'\n"
    run = shared.run("floats", code, "run: {final_vars: [out]}", {"x": 5, "day": "2026-11-23"})
    assert run.value("out") == "5.0 2026-11-23"


@pytest.mark.parametrize(
    ("annotation", "value", "plainer"),
    [
        ("tuple[int, int]", [1, 2], "tuple"),
        ("typing.Mapping[str, int]", {"a": 1}, "dict"),
        ("Options", {"a": 1}, "dict"),
    ],
)
def test_a_type_that_hamilton_never_takes_is_told(shared, annotation, value, plainer):
    code = f"""
        import typing
        class Options(typing.TypedDict):
            a: int
        def out(x: {annotation}) -> int: return len(x)
    """
    run = shared.run("pairs", code, "run: {final_vars: [out]}", {"x": value})
    message = run.problems()["inputs.x"]["message"]
    assert message.startswith("Hamilton takes no input of type ")
    assert message.endswith(f"; annotate it as {plainer}")


def test_keys_that_yaml_reads_as_something_else_than_text_do_no_harm(shared):
    yaml = "run: {final_vars: [out], inputs: {on: 1, 5: x, n: 2}, config: {no: 1, a: b}}\n"
    assert shared.run("keyed", "def out(n: int) -> int: return n\n", yaml).value("out") == 2
    described = shared.runtime.describe("keyed")["keyed"]
    assert described["status"] == "ok", described["error"]["traceback"]
    assert [warning["path"] for warning in described["warnings"]] == [
        "conf/pipelines/keyed.yml: run.inputs.True",
        "conf/pipelines/keyed.yml: run.inputs.5",
    ]


def test_what_flowerpower_takes_from_yaml_is_taken_although_a_request_would_be_refused(shared):
    code = "def out(end: str, count: int, many: list[int]) -> list: return [end, count, many]\n"
    yaml = "run: {final_vars: [out], inputs: {end: null, count: true, many: [1, two]}}\n"
    assert shared.run("lenient", code, yaml).value("out") == [None, True, [1, "two"]]
    run = shared.runtime.run("lenient", {"end": None, "count": True, "many": [1, "two"]})
    assert sorted(run.problems()) == ["inputs.count", "inputs.end", "inputs.many[1]"]


def test_a_date_where_yaml_should_have_text_is_told_with_its_quotes(shared):
    run = shared.run(
        "dated", "def out(day: str) -> str: return day\n", "run: {final_vars: [out], inputs: {day: 2026-01-05}}"
    )
    assert run.problems()["inputs.day"]["suggestion"] == '"2026-01-05"'


def test_inputs_merge_by_key(shared):
    code = "def out(a: int, b: int) -> list: return [a, b]\n"
    run = shared.run("merge", code, "run: {final_vars: [out], inputs: {a: 1, b: 2}}", {"b": 3})
    assert run.value("out") == [1, 3]
    assert run.events[0]["data"]["context"]["inputSources"] == {"a": "conf/pipelines/merge.yml", "b": "request"}


def test_an_optional_input_keeps_its_default(shared):
    code = "def out(a: int = 7) -> int: return a\n"
    assert shared.run("optional", code, "run: {final_vars: [out]}").value("out") == 7
    assert shared.runtime.run("optional", {"a": 8}).value("out") == 8


def test_a_cycle_is_refused(shared):
    run = shared.run(
        "cycle", "def a(b: int) -> int: return b\ndef b(a: int) -> int: return a\n", "run: {final_vars: [a]}"
    )
    assert "a → b → a" in run.problems()["pipeline"]["message"] or "b → a → b" in run.problems()["pipeline"]["message"]


def test_a_fan_on_which_hamilton_never_ends_is_refused(shared):
    code = """
        from hamilton.htypes import Collect, Parallelizable
        def first() -> Parallelizable[int]: yield from range(2)
        def one(first: int) -> int: return first
        def ones(one: Collect[int]) -> int: return sum(one)
        def second(ones: int) -> Parallelizable[int]: yield from range(2)
        def two(second: int) -> int: return second
        def twos(two: Collect[int], ones: int) -> int: return sum(two) + ones
    """
    run = shared.run("fans", code, "run: {final_vars: [twos]}")
    assert "twos collects from first and second" in run.problems()["pipeline"]["message"]
    assert shared.runtime.run("fans", finalVars=["ones"]).value("ones") == 1


@pytest.mark.parametrize(
    "collects",
    [
        "def first(x: Collect[int]) -> int: return sum(x)\ndef second(x: Collect[int]) -> int: return max(x)\ndef out(first: int, second: int) -> int: return first\n",
        "def first(x: Collect[int]) -> int: return sum(x)\ndef second(y: Collect[int]) -> int: return max(y)\ndef out(first: int, second: int) -> int: return first\n",
        "def out(x: Collect[int], y: Collect[int]) -> int: return sum(x) + sum(y)\n",
    ],
)
def test_branches_that_are_collected_twice_are_refused_before_they_run(shared, collects):
    code = "from hamilton.htypes import Collect, Parallelizable\ndef item() -> Parallelizable[int]: return [1, 2]\n"
    branch = "def x(item: int) -> int: return item\ndef y(x: int) -> int: return x\n"
    run = shared.run("twice", code + branch + collects, "run: {final_vars: [out]}")
    assert "the branches of item are collected more than once" in run.problems()["pipeline"]["message"]


def test_two_fans_in_a_row_run(shared):
    code = """
        from hamilton.htypes import Collect, Parallelizable
        def first() -> Parallelizable[int]: yield from range(2)
        def one(first: int) -> int: return first
        def ones(one: Collect[int]) -> int: return sum(one)
        def second(ones: int) -> Parallelizable[int]: yield from range(3)
        def two(second: int) -> int: return second
        def twos(two: Collect[int]) -> int: return sum(two)
    """
    run = shared.run("rows", code, "run: {final_vars: [twos]}")
    assert run.value("twos") == 3
    assert [e["data"] for e in run.of("node.expanded")] == [
        {"count": 2, "nodes": ["one"]},
        {"count": 3, "nodes": ["two"]},
    ]


def test_final_variables_from_the_environment_are_not_split_into_letters(project):
    project.pipeline("env", ONE + "def other() -> int: return 1\n", "run: {inputs: {x: 1}}")
    with RuntimeProcess(project.folder, env={"FP_PIPELINE__RUN__FINAL_VARS": "out"}) as runtime:
        assert runtime.run("env").value("out") == 2


def test_extract_columns_works_although_extensions_are_not_loaded(shared):
    code = """
        import pandas as pd
        from hamilton.function_modifiers import extract_columns
        @extract_columns("a", "b")
        def table() -> pd.DataFrame: return pd.DataFrame({"a": [1, 2], "b": [3, 4]})
        def out(a: pd.Series) -> int: return int(a.sum())
    """
    assert shared.run("columns", code, "run: {final_vars: [out]}").value("out") == 3


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("""
            import polars as pl
            from hamilton.function_modifiers import extract_columns
            @extract_columns("a", "b")
            def table() -> pl.DataFrame: return pl.DataFrame({"a": [1, 2], "b": [3, 4]})
            def out(a: pl.Series, b: pl.Series) -> int: return int((a + b).sum())
         """, 10),
        ("""
            import pydantic
            from hamilton.function_modifiers import check_output
            class Row(pydantic.BaseModel):
                n: int
            @check_output(model=Row)
            def out() -> dict: return {"n": 1}
         """, {"n": 1}),
        ("""
            from hamilton.function_modifiers import load_from, value
            @load_from.yaml(path=value("conf/project.yml"))
            def out(read: dict) -> dict: return read
         """, {"name": "test"}),
    ],
    ids=["polars", "pydantic", "yaml"],
)  # fmt: skip
def test_what_hamilton_offers_for_a_library_is_there_when_the_project_uses_it(shared, code, value):
    assert shared.run("extended", code, "run: {final_vars: [out]}").value("out") == value


def test_system_exit_in_a_node_is_a_failure_of_the_pipeline(shared):
    run = shared.run("exits", "import sys\ndef out() -> int: sys.exit('enough')\n", "run: {final_vars: [out]}")
    assert (run.error["kind"], run.error["type"], run.error["message"]) == ("PIPELINE", "SystemExit", "enough")
    assert run.error["node"] == "out"
    assert run.of("node.failed")
    assert shared.runtime.run("exits").outcome == "failed"  # And the runtime is still there.


@pytest.mark.parametrize("prefix", ["", "async "])
def test_a_keyboard_interrupt_that_nobody_has_sent_is_a_failure_of_the_pipeline(shared, prefix):
    run = shared.run("own", f"{prefix}def out() -> int: raise KeyboardInterrupt('own')\n", "run: {final_vars: [out]}")
    assert (run.error["kind"], run.error["type"], run.error["message"]) == ("PIPELINE", "KeyboardInterrupt", "own")
    assert run.error["node"] == "out"


def test_a_module_that_raises_keyboard_interrupt_is_broken_and_the_runtime_goes_on(shared):
    shared.project.pipeline("interrupts", "raise KeyboardInterrupt('own')\n", "run: {final_vars: [out]}")
    described = shared.runtime.describe("interrupts")["interrupts"]
    assert (described["status"], described["error"]["type"]) == ("broken", "KeyboardInterrupt")
    assert shared.runtime.run("interrupts").error["kind"] == "PIPELINE"
    assert shared.run("plain", ONE, ONE_YAML).outcome == "succeeded"


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ("class M(type):\n    __name__ = __module__ = property(lambda cls: 1 / 0)\nclass E(Exception, metaclass=M): ...\n", "E", ""),
        ("class E(Exception):\n    def __str__(self): raise ValueError('inner')\n", "E", "(no message: E.__str__ raised ValueError)"),
        ("class E(Exception):\n    def __str__(self): return 'x' * 100_000\n", "E", "xxx"),
        ("class E(Exception):\n    def __str__(self): return 'nul \\x00 lone \\ud800'\n", "E", "nul � lone �"),
        ("def _deep(): return _deep()\nE = _deep\n", "RecursionError", "maximum recursion depth"),
        ("class E(ExceptionGroup):\n    def __new__(cls): return super().__new__(cls, 'several', [ValueError('a'), KeyError('b')])\n", "E", "several"),
    ],
    ids=["nameless", "str raises", "huge", "unstorable", "recursion", "group"],
)  # fmt: skip
def test_an_awkward_exception_is_told_all_the_same(shared, body, kind, message):
    run = shared.run(
        "awkward", f"{body}def _error(): return E()\ndef out() -> int: raise _error()\n", "run: {final_vars: [out]}"
    )
    assert run.error["type"].rpartition(".")[2] == kind
    assert run.error["message"].startswith(message)
    assert len(run.error["message"]) < 11_000
    assert len(run.error["traceback"] or "") < 45_000


def test_a_chain_of_three_hundred_nodes_runs(shared):
    code = "def n0() -> int: return 0\n" + "".join(
        f"def n{i}(n{i - 1}: int) -> int: return n{i - 1} + 1\n" for i in range(1, 300)
    )
    assert shared.run("chain", code, "run: {final_vars: [n299]}").value("n299") == 299


def test_a_missing_package_comes_with_the_command_that_installs_it(shared):
    run = shared.run(
        "needy", "import sklearn_not_here.linear\ndef out() -> int: return 1\n", "run: {final_vars: [out]}"
    )
    assert run.error["type"] == "ModuleNotFoundError"
    assert run.error["hint"].endswith("-m pip install sklearn-not-here")
    assert run.error["file"] == "pipelines/needy.py"
    assert run.error["node"] is None


def test_a_wrong_type_in_the_yaml_is_told_with_its_reason(shared):
    run = shared.run("wrong", ONE, "run: {final_vars: 7}")
    assert "conf/pipelines/wrong.yml" in run.problems()
    assert "final_vars" in run.problems()["conf/pipelines/wrong.yml"]["message"]


def test_broken_yaml_is_told_with_its_line(shared):
    run = shared.run("broken", ONE, "run: {final_vars: [out\n")
    assert "line 2" in run.problems()["conf/pipelines/broken.yml"]["message"]


def test_a_value_whose_class_cannot_say_its_name_does_not_fail_the_run(shared):
    code = """
        class Meta(type):
            @property
            def __module__(cls): raise RuntimeError("no module")
        class Odd(metaclass=Meta): pass
        def out() -> object: return Odd()
    """
    run = shared.run("nameless", code, "run: {final_vars: [out]}")
    assert (run.outcome, run.ended["results"]["out"]["summary"]["type"]) == ("succeeded", "Odd")


def test_what_reading_a_value_raises_is_the_values_own(shared):
    """Also what is no Exception: polars' panics are none."""
    code = """
        class Panics(BaseException): ...
        class Rows(list):
            def __len__(self): raise Panics
            def __iter__(self): raise KeyboardInterrupt
        def rows() -> list: return Rows()
        def out(rows: list) -> int: return 3
    """
    run = shared.run("panics", code, "run: {final_vars: [out, rows]}")
    assert run.value("out") == 3
    assert run.ended["results"]["rows"]["omitted"] == "not JSON: reading the value raised Panics"
    assert [e["data"]["summary"]["type"] for e in run.of("node.succeeded")] == ["pipelines.panics.Rows", "int"]


def test_an_error_from_code_that_is_in_no_file_has_the_line_that_called_it(shared):
    run = shared.run("quits", "def out() -> int:\n    quit(3)\n", "run: {final_vars: [out]}")
    assert (run.error["type"], run.error["file"], run.error["line"]) == ("SystemExit", "pipelines/quits.py", 2)


def test_results_that_are_no_json_are_summarised(shared):
    code = "import pandas as pd\ndef out() -> pd.DataFrame: return pd.DataFrame({'a': [1]})\ndef nan() -> float: return float('nan')\n"
    run = shared.run("frames", code, "run: {final_vars: [out, nan]}")
    assert run.ended["results"]["out"]["omitted"] == "not JSON: pandas.DataFrame"
    assert run.ended["results"]["out"]["summary"]["shape"] == [1, 1]
    assert run.ended["results"]["nan"]["omitted"] == "not JSON: nan"
    assert shared.runtime.run("frames", results="none").ended["results"] == {}
    assert "value" not in shared.runtime.run("frames", results="summary").ended["results"]["out"]


def test_a_soft_cancel_stops_at_the_next_node(faults):
    run = faults.start("sleeps", {"seconds": 0.3})
    faults.wait_for_event("log")
    faults.send(type="cancel", run=run, reason="by Ada")
    finished = faults.finish()
    assert (finished.error["kind"], finished.error["message"]) == ("CANCELLED", "by Ada")
    assert [e["node"] for e in finished.of("node.succeeded")] == ["morning"]
    assert faults.run("sleeps", {"seconds": 0}).outcome == "succeeded"


@pytest.mark.parametrize("executor", ["threadpool", "processpool"])
def test_a_soft_cancel_reaches_branches(faults, executor):
    run = faults.start(
        "branches", {"items": 40, "seconds": 0.1}, executor={"type": executor, "maxWorkers": 2, "numCpus": None}
    )
    faults.wait_for_event("node.succeeded", "waited")
    faults.send(type="cancel", run=run, reason="enough")
    finished = faults.finish()
    assert (finished.error["kind"], finished.error["message"]) == ("CANCELLED", "enough")
    assert len(finished.of("node.succeeded")) < 40
    assert faults.run("branches", executor={"type": executor, "maxWorkers": 2, "numCpus": None}).outcome == "succeeded"


def test_a_cancel_right_behind_its_run_is_not_lost(faults):
    for _ in range(5):
        run = faults.start("sleeps", {"seconds": 0.05})
        faults.send(type="cancel", run=run, reason="at once")
        finished = faults.finish()
        assert (finished.outcome, finished.error["kind"]) == ("failed", "CANCELLED")


def test_a_cancel_for_another_run_is_ignored(faults):
    run = faults.start("sleeps", {"seconds": 0.1})
    faults.send(type="cancel", run=run + "x", reason="not me")
    assert faults.finish().outcome == "succeeded"


def test_sigint_stops_a_sleeping_node_at_once(faults):
    faults.start("sleeps", {"seconds": 30})
    faults.wait_for_event("log")
    os.kill(faults.process.pid, signal.SIGINT)
    run = faults.finish()
    assert run.error["kind"] == "CANCELLED"
    assert run.error["node"] == "morning"
    [failed] = run.of("node.failed")
    assert failed["data"]["error"]["kind"] == "CANCELLED"
    assert faults.run("sleeps", {"seconds": 0}).outcome == "succeeded"


def test_sigint_between_runs_is_ignored(faults):
    os.kill(faults.process.pid, signal.SIGINT)
    assert faults.run("sleeps", {"seconds": 0}).outcome == "succeeded"


def test_sigint_in_a_thread_pool_leaves_a_usable_runtime(faults):
    faults.start("branches", {"seconds": 0.5})
    faults.wait_for_event("node.started", "waited")
    os.kill(faults.process.pid, signal.SIGINT)
    assert faults.finish().error["kind"] == "CANCELLED"
    assert faults.run("branches", {"items": 2}).outcome == "succeeded"


def test_the_same_executor_can_be_used_by_every_run(faults):
    for _ in range(3):
        assert faults.run("branches", {"items": 2}).outcome == "succeeded"


FORKS = """
    import os, sys
    def out(how: str) -> list:
        child = os.fork()
        if child == 0:
            print("I am the child", end="")
            if how == "exits": sys.exit(7)
            if how == "raises": raise ValueError("in the child")
            return ["child"]
        return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]
"""


@pytest.mark.parametrize(("how", "code"), [("returns", 0), ("exits", 7), ("raises", 1)])
def test_a_forked_child_that_comes_back_from_its_node_ends_and_is_not_the_run(shared, how, code):
    run = shared.run("forks", FORKS, "run: {final_vars: [out]}", {"how": how})
    assert run.value("out") == [code]
    assert [event["event"] for event in run.events if event["event"] != "log"] == [
        "run.resolved",
        "node.started",
        "node.succeeded",
    ]
    assert run.log("I am the child")["node"] is None
    assert shared.runtime.run("forks", {"how": how}).value("out") == [code]  # And there is one runtime still.
