"""Pipelines of `async def` nodes: exact events, logs of the right node, and an end that leaves nothing behind."""

import signal
import time

import pytest
from runtime_process import RuntimeProcess

PAIR = """
    import asyncio

    async def left(x: int) -> int:
        print("left begins")
        await asyncio.sleep(0.15)
        print("left ends")
        return x + 1

    async def right(x: int) -> int:
        print("right begins")
        await asyncio.sleep(0.05)
        print("right ends")
        return x * 10

    def both(left: int, right: int) -> int:
        print("both")
        return left + right
"""
PAIR_YAML = "run: {final_vars: [both], inputs: {x: 2}}\n"


def times(run, node):
    by_event = {m["body"]["event"]: m["at"] for m in run.messages if m["body"].get("node") == node}
    return by_event["node.started"], by_event["node.succeeded"]


def test_nodes_run_at_the_same_time_and_each_is_told_exactly(shared):
    run = shared.run("pair", PAIR, PAIR_YAML)
    assert run.value("both") == 23
    assert run.events[0]["data"]["path"] == ["left", "right", "both"]
    order = [(e["event"], e["node"]) for e in run.events if e["event"].startswith("node.")]
    assert sorted(order[:2]) == [("node.started", "left"), ("node.started", "right")]
    assert order[2:] == [
        ("node.succeeded", "right"),
        ("node.succeeded", "left"),
        ("node.started", "both"),
        ("node.succeeded", "both"),
    ]
    [left] = [e["data"] for e in run.of("node.succeeded") if e["node"] == "left"]
    assert left["durationMs"] >= 150
    # Beside another node neither can be told apart; alone both can.
    assert (left["cpuMs"], left["memoryGrowthBytes"]) == (None, None)
    [both] = [e["data"] for e in run.of("node.succeeded") if e["node"] == "both"]
    assert both["cpuMs"] is not None
    assert isinstance(both["memoryGrowthBytes"], int)


def test_each_line_belongs_to_the_node_that_wrote_it(shared):
    code = """
        import asyncio, threading

        def in_thread(name: str) -> None:
            print(f"{name} in a thread")

        async def helper(name: str) -> None:
            print(f"{name} in a task")

        async def talk(name: str) -> int:
            print(f"{name} begins ", end="")
            await asyncio.sleep(0.02)
            print("and ends")
            await asyncio.create_task(helper(name))
            await asyncio.to_thread(in_thread, name)
            return 1

        async def a() -> int:
            return await talk("a")

        async def b() -> int:
            unknown = threading.Thread(target=print, args=("nobody's",))
            unknown.start()
            unknown.join()
            return await talk("b")

        def out(a: int, b: int) -> int:
            return a + b
    """
    run = shared.run("lines", code, "run: {final_vars: [out]}\n")
    assert run.value("out") == 2
    for name in ("a", "b"):
        for text in (f"{name} begins and ends", f"{name} in a task", f"{name} in a thread"):
            assert run.log(text)["node"] == name
    assert run.log("nobody's")["node"] is None


def test_a_failing_node_is_named_and_the_others_are_stopped(shared):
    code = """
        import asyncio

        async def slow() -> int:
            await asyncio.sleep(60)
            return 1

        async def fails(x: int) -> int:
            await asyncio.sleep(0.02)
            raise ValueError(f"x is {x}")

        def out(slow: int, fails: int) -> int:
            return slow + fails
    """
    before = time.monotonic()
    run = shared.run("fails_beside", code, "run: {final_vars: [out], inputs: {x: 3}}\n")
    assert time.monotonic() - before < 20
    assert (run.error["kind"], run.error["node"], run.error["message"]) == ("PIPELINE", "fails", "x is 3")
    assert run.error["file"] == "pipelines/fails_beside.py"
    assert [e["node"] for e in run.of("node.failed")] == ["fails"]
    assert run.of("node.failed")[0]["data"]["inputs"]["x"]["preview"] == "3"
    # How it would have ended is not known: it is neither a success nor a failure.
    assert [e["node"] for e in run.of("node.succeeded")] == []
    assert run.logs() == []
    assert run.ended["process"]["threads"] == []


def test_a_soft_cancel_waits_for_what_runs_and_starts_nothing_more(shared):
    shared.project.pipeline("pair", PAIR, PAIR_YAML)
    run = shared.runtime.start("pair", {})
    shared.runtime.wait_for_event("log")
    shared.runtime.send(type="cancel", run=run, reason="enough")
    finished = shared.runtime.finish()
    assert (finished.error["kind"], finished.error["message"]) == ("CANCELLED", "enough")
    assert sorted(e["node"] for e in finished.of("node.succeeded")) == ["left", "right"]
    assert "both" not in [e["node"] for e in finished.of("node.started")]


def test_an_interrupt_ends_a_node_that_waits(shared):
    # The cancel comes through a pipe and the interrupt does not: whichever is faster. The node tells when the cancel is there.
    code = """
        import asyncio, sys

        def _is_cancelled() -> bool:
            frame = sys._getframe()
            while type(frame.f_locals.get("self")).__name__ != "PipelineRun":
                frame = frame.f_back
            return frame.f_locals["self"].events.cancel_reason() is not None

        async def out() -> int:
            while not _is_cancelled():
                await asyncio.sleep(0.02)
            print("waits")
            await asyncio.sleep(60)
            return 1
    """
    shared.project.pipeline("waits", code, "run: {final_vars: [out]}\n")
    run = shared.runtime.start("waits", {})
    shared.runtime.wait_for_event("node.started", "out")
    shared.runtime.send(type="cancel", run=run, reason="time is over")
    shared.runtime.wait_for_event("log")
    shared.runtime.process.send_signal(signal.SIGINT)
    finished = shared.runtime.finish()
    assert (finished.error["kind"], finished.error["message"]) == ("CANCELLED", "time is over")
    # The same process goes on with a loop of its own.
    assert shared.run("after", PAIR, PAIR_YAML).value("both") == 23


def test_an_interrupt_ends_a_node_that_computes(shared):
    code = "async def out() -> int:\n    print('computes')\n    while True: pass\n"
    shared.project.pipeline("computes", code, "run: {final_vars: [out]}\n")
    shared.runtime.start("computes", {})
    shared.runtime.wait_for_event("log")
    shared.runtime.process.send_signal(signal.SIGINT)
    finished = shared.runtime.finish()
    assert (finished.error["kind"], finished.error["node"]) == ("CANCELLED", "out")


def test_tasks_that_are_left_running_are_cancelled_and_named(shared):
    code = """
        import asyncio
        seen = []

        async def _forever():
            try:
                await asyncio.sleep(3600)
            finally:
                seen.append(1)

        async def out() -> int:
            asyncio.get_running_loop().forever = asyncio.create_task(_forever())
            await asyncio.sleep(0)
            return len(seen)
    """
    run = shared.run("leaves_tasks", code, "run: {final_vars: [out]}\n")
    assert run.value("out") == 0
    line = run.log("left running")
    assert (line["data"]["text"], line["data"]["level"]) == (
        "A task was left running and is cancelled: _forever.",
        "WARNING",
    )
    assert run.ended["process"]["threads"] == []
    # It was cancelled, and came to its end, before the next run.
    assert shared.runtime.run("leaves_tasks").value("out") == 1


def test_a_task_that_refuses_to_end_makes_the_process_unfit(project):
    code = """
        import asyncio

        async def _stubborn():
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    pass

        async def out() -> int:
            asyncio.get_running_loop().kept = asyncio.create_task(_stubborn())
            await asyncio.sleep(0)
            return 1
    """
    project.pipeline("stubborn", code, "run: {final_vars: [out]}\n")
    with RuntimeProcess(project.folder) as runtime:
        run = runtime.run("stubborn")
    assert run.value("out") == 1
    assert run.ended["process"]["threads"] == ["_stubborn"]
    assert run.log("did not end when they were cancelled")


def test_a_thread_that_is_still_busy_makes_the_process_unfit(shared):
    code = """
        import asyncio, threading
        release = threading.Event()

        async def out() -> int:
            asyncio.get_running_loop().run_in_executor(None, release.wait, 5)
            await asyncio.sleep(0.01)
            return 1
    """
    run = shared.run("busy_thread", code, "run: {final_vars: [out]}\n")
    assert run.value("out") == 1
    assert len(run.ended["process"]["threads"]) == 1


def test_exit_in_a_node_is_that_nodes_failure(shared):
    run = shared.run("exits", "async def out() -> int:\n    raise SystemExit(3)\n", "run: {final_vars: [out]}\n")
    assert (run.error["kind"], run.error["type"], run.error["node"]) == ("PIPELINE", "SystemExit", "out")


def test_two_failures_at_once_are_told_once_each(shared):
    code = """
        async def a() -> int:
            raise ValueError("a")
        async def b() -> int:
            raise ValueError("b")
        def out(a: int, b: int) -> int:
            return a + b
    """
    run = shared.run("two_fail", code, "run: {final_vars: [out]}\n")
    failed = run.of("node.failed")
    assert sorted(e["node"] for e in failed) == ["a", "b"]
    assert run.error == failed[0]["data"]["error"]
    assert run.logs() == []


def test_async_driver_runs_a_pipeline_without_coroutines(shared):
    code = "def out(x: float) -> float:\n    return x / 2\n"
    run = shared.run("plain_async", code, "run: {final_vars: [out], async_driver: true}\n", {"x": 5})
    assert run.value("out") == 2.5


def test_an_input_may_be_a_final_variable(shared):
    code = "async def out(x: int) -> int:\n    return x + 1\n"
    run = shared.run("async_input", code, "run: {final_vars: [x, out], inputs: {x: 1}}\n")
    assert (run.value("x"), run.value("out")) == (1, 2)


def test_modules_config_params_inputs_and_log_level_apply(shared):
    shared.project.pipeline(
        "extra_async",
        "async def base_value(start: int) -> int:\n    return start\n",
        "run: {final_vars: [base_value]}\n",
    )
    code = """
        from flowerpower.cfg import Config
        from hamilton.function_modifiers import config
        from loguru import logger
        from pathlib import Path

        PARAMS = Config.load(Path(__file__).parents[1], pipeline_name="whole_async").pipeline.params

        @config.when(way="up")
        async def step__up(base_value: int) -> int:
            logger.debug("goes up")
            return base_value + PARAMS["step"]["by"]

        @config.when(way="down")
        async def step__down(base_value: int) -> int:
            return base_value - PARAMS["step"]["by"]

        def out(step: int) -> int:
            return step
    """
    yaml = """
        params: {step: {by: 5}}
        run:
          final_vars: [out]
          inputs: {start: 10}
          config: {way: up}
          additional_modules: [extra_async]
          log_level: DEBUG
    """
    run = shared.run("whole_async", code, yaml)
    assert run.value("out") == 15
    assert run.log("goes up")["data"] == {
        "level": "DEBUG",
        "stream": "loguru",
        "logger": "pipelines.whole_async",
        "text": "goes up",
    }
    run = shared.runtime.run("whole_async", {"start": 1}, config={"way": "down"}, logLevel="WARNING")
    assert run.value("out") == -4


@pytest.mark.parametrize(
    ("code", "yaml", "changes", "path", "words"),
    [
        (
            "from hamilton.htypes import Collect, Parallelizable\n"
            "def item() -> Parallelizable[int]:\n    yield 1\n"
            "async def twice(item: int) -> int:\n    return item * 2\n"
            "def out(twice: Collect[int]) -> int:\n    return sum(twice)\n",
            "run: {final_vars: [out]}\n",
            {},
            "pipeline",
            "branches",
        ),
        (
            "async def out() -> int:\n    return 1\n",
            "run: {final_vars: [out]}\n",
            {"executor": {"type": "threadpool", "maxWorkers": None, "numCpus": None}},
            "executor.type",
            "event loop",
        ),
        (
            "async def out() -> int:\n    return 1\n",
            "run: {final_vars: [out], async_driver: false}\n",
            {},
            "pipeline",
            "async_driver is false",
        ),
        (
            "async def out() -> int:\n    return 1\n",
            "run: {final_vars: [out], with_adapter: {future: true}}\n",
            {},
            "pipeline",
            "future",
        ),
    ],
    ids=["branches", "executor", "switched off", "adapter"],
)
def test_what_the_async_driver_cannot_do_is_refused(shared, code, yaml, changes, path, words):
    run = shared.run("refused_async", code, yaml, **changes)
    assert run.events == []
    assert words in run.problems()[path]["message"]


def test_a_decorator_that_does_not_await_is_told(shared):
    code = """
        import functools

        def _logged(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                return function(*args, **kwargs)
            return wrapper

        @_logged
        async def out() -> int:
            return 1
    """
    run = shared.run("unawaited", code, "run: {final_vars: [out]}\n")
    assert run.outcome == "failed"
    assert "async def" in run.error["message"], run.error


def test_what_awaits_its_function_works(shared):
    code = """
        import pandas as pd
        from hamilton.function_modifiers import extract_columns, extract_fields, tag

        @extract_columns("a", "b")
        async def frame() -> pd.DataFrame:
            return pd.DataFrame({"a": [1, 2], "b": [3, 4]})

        @extract_fields({"low": int, "high": int})
        async def ends(a: pd.Series) -> dict:
            return {"low": int(a.min()), "high": int(a.max())}

        @tag(kind="sum")
        def out(low: int, high: int, b: pd.Series) -> int:
            return low + high + int(b.sum())
    """
    assert shared.run("decorated_async", code, "run: {final_vars: [out]}\n").value("out") == 10


def test_where_reuse_is_set_nothing_is_reused_and_the_log_says_so(shared, tmp_path):
    reuse = {
        "mode": "full",
        "folder": str(tmp_path / "store"),
        "scopes": [],
        "recompute": [],
        "maxEntryBytes": 1_000_000,
        "minFreeBytes": 0,
    }
    run = shared.run("pair", PAIR, PAIR_YAML, reuse=reuse)
    assert run.value("both") == 23
    assert run.log("Nothing is reused in this run")["data"]["level"] == "WARNING"
    assert len(run.of("node.succeeded")) == 3


def test_what_hamiltons_decorators_make_of_async_nodes_is_awaited(shared):
    code = """
        import asyncio
        from hamilton.function_modifiers import (
            config, dataloader, extract_fields, parameterize, pipe_input, source, step, value
        )

        @parameterize(low={"n": value(1)}, high={"n": source("x")})
        async def times(n: int) -> int:
            await asyncio.sleep(0)
            return n * 10

        @extract_fields({"part": int})
        async def parts(low: int) -> dict:
            return {"part": low + 1}

        @dataloader()
        async def loaded() -> tuple[int, dict]:
            return 100, {}

        @config.when(kind="a")
        async def chosen__a(part: int) -> int:
            return part

        def _plus(n: int) -> int: return n + 1000

        @pipe_input(step(_plus))
        async def piped(chosen: int) -> int:
            return chosen

        def out(piped: int, high: int, loaded: int) -> int:
            return piped + high + loaded
    """
    yaml = "run: {final_vars: [out], inputs: {x: 2}, config: {kind: a}}\n"
    run = shared.run("decorated", code, yaml)
    assert run.value("out") == 1011 + 20 + 100
    assert {"low", "high", "parts", "part", "loaded.loader", "chosen", "piped"} <= {
        e["node"] for e in run.of("node.succeeded")
    }
