"""What runs branches: each executor runs them all, visibly, or is refused; none is silently replaced by a local one."""

import importlib.util
import sys

import pytest
from runtime_process import RuntimeProcess

FAN = """
    import os
    import threading
    from hamilton.htypes import Collect, Parallelizable

    def item(n: int) -> Parallelizable[int]:
        yield from range(n)

    def place(item: int) -> str:
        print(f"item {item}")
        return f"{os.getpid()}/{threading.get_ident()}"

    def places(place: Collect[str]) -> list[str]:
        return list(place)
"""
INSTALLED = [
    "synchronous",
    "threadpool",
    "processpool",
    *(["dask"] if importlib.util.find_spec("distributed") else []),
    *(["ray"] if importlib.util.find_spec("ray") else []),
]


def yaml(executor):
    return f"run: {{final_vars: [places], inputs: {{n: 4}}, executor: {{type: {executor}, max_workers: 2, num_cpus: 2}}}}\n"


@pytest.mark.parametrize("kind", INSTALLED)
@pytest.mark.parametrize("asked", ["in YAML", "by the request"])
def test_every_branch_runs_there_and_is_told(shared, kind, asked):
    if asked == "in YAML":
        run = shared.run("fan", FAN, yaml(kind))
    else:
        executor = {"type": kind, "maxWorkers": 2, "numCpus": 2}
        run = shared.run("fan", FAN, yaml("synchronous"), executor=executor)
    places = run.value("places")
    own = str(shared.runtime.process.pid)
    in_own_process = {place.partition("/")[0] == own for place in places}
    assert in_own_process == {kind in ("synchronous", "threadpool")}
    assert sorted(e["branch"] for e in run.of("node.succeeded") if e["node"] == "place") == [
        f"expand-item.{index}.block-item" for index in range(4)
    ]
    for index in range(4):
        line = run.log(f"item {index}")
        assert (line["node"], line["branch"]) == ("place", f"expand-item.{index}.block-item")
    # Nothing of it is left for the next run.
    assert run.ended["process"]["threads"] == []


@pytest.mark.parametrize("kind", INSTALLED[2:])
def test_what_a_decorator_makes_runs_in_other_processes(shared, kind):
    code = """
        from hamilton.function_modifiers import extract_fields, parameterize, source, tag, value
        from hamilton.htypes import Collect, Parallelizable

        def item() -> Parallelizable[int]:
            yield from range(3)

        @tag(kind="made")
        @parameterize(double={"by": value(2)}, triple={"by": value(3)})
        def times(item: int, by: int) -> int:
            return item * by

        @extract_fields({"low": int, "high": int})
        def ends(double: int, triple: int) -> dict:
            return {"low": double, "high": triple}

        def one(low: int, high: int) -> int:
            return high - low

        def total(one: Collect[int]) -> int:
            return sum(one)
    """
    run = shared.run("made", code, f"run: {{final_vars: [total], executor: {{type: {kind}, max_workers: 2}}}}\n")
    assert run.value("total") == 3
    assert len([e for e in run.of("node.succeeded") if e["branch"]]) == 3 * 6
    # And again: what was noted of the first graph is not taken for the second.
    assert (
        shared.run("made", code.replace("high - low", "high + low"), "run: {final_vars: [total]}\n").value("total")
        == 15
    )
    assert shared.runtime.run("made", executor={"type": kind, "maxWorkers": 2, "numCpus": 1}).value("total") == 15


def test_where_processes_are_not_forked_such_a_graph_is_refused(project):
    code = """
        import multiprocessing
        from hamilton.function_modifiers import parameterize, value
        from hamilton.htypes import Collect, Parallelizable
        multiprocessing.set_start_method("spawn")

        def item() -> Parallelizable[int]:
            yield from range(2)

        @parameterize(plus={"n": value(1)})
        def added(item: int, n: int) -> int:
            return item + n

        def total(plus: Collect[int]) -> int:
            return sum(plus)
    """
    project.pipeline("spawned", code, "run: {final_vars: [total], executor: {type: processpool}}\n")
    with RuntimeProcess(project.folder) as runtime:
        described = runtime.describe("spawned")["spawned"]
        assert "plus cannot be sent to another process" in described["execution"]["unpicklable"]
        run = runtime.run("spawned")
        assert run.problems()["executor.type"]["suggestion"] == "threadpool"
        assert (
            runtime.run("spawned", executor={"type": "threadpool", "maxWorkers": 2, "numCpus": 1}).value("total") == 3
        )


@pytest.mark.parametrize("kind", [kind for kind in ("ray", "dask") if kind not in INSTALLED])
def test_what_is_not_installed_is_refused_with_the_command(shared, kind):
    install = f"{sys.executable} -m pip install {'ray' if kind == 'ray' else 'dask[distributed]'!r}".replace(
        "'ray'", "ray"
    )
    described = shared.runtime.describe("fan") if shared.project.pipeline("fan", FAN, yaml(kind)) else {}
    assert {entry["type"]: entry["install"] for entry in described["project"]["executors"]}[kind] == install
    [warning] = described["fan"]["warnings"]
    assert (warning["path"], warning["suggestion"]) == ("conf/pipelines/fan.yml: run.executor.type", install)
    run = shared.runtime.run("fan")
    assert run.problems()["executor.type"]["suggestion"] == install
    assert run.error["hint"] == install


@pytest.mark.parametrize("kind", [kind for kind in ("ray", "dask") if kind not in INSTALLED])
def test_where_nothing_has_branches_a_missing_executor_has_nothing_to_run(shared, kind):
    code = "def places(n: int) -> list[str]:\n    return []\n"
    assert shared.run("flat", code, yaml(kind)).value("places") == []
