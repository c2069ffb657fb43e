"""The cases that TypeScript's plan reads too: a run is refused here for the same reasons, and takes the same path."""

import json
from pathlib import Path

import pytest
from runtime_process import EXAMPLES, RuntimeProcess

GOLDEN = json.loads((Path(__file__).resolve().parents[2] / "test/protocol/plan-cases.json").read_text())
CASES = GOLDEN["cases"]


@pytest.fixture(scope="module", params=sorted({case["project"] for case in CASES}))
def served(request):
    with RuntimeProcess(EXAMPLES / request.param) as runtime:
        yield request.param, runtime


def test_the_descriptions_are_what_is_described_now(served):
    project, runtime = served
    for golden in [golden for golden in GOLDEN["descriptions"] if golden["project"] == project]:
        name = golden["pipeline"]
        now = runtime.describe(name, config=golden["config"])[name]
        # Cut to what a plan reads of them.
        known = golden["described"]
        keys = known["graph"]["nodes"][0].keys()
        nodes = [{key: node[key] for key in keys} for node in now["graph"]["nodes"]]
        assert {**{key: now[key] for key in known}, "graph": {"nodes": nodes}} == known


def test_a_run_is_refused_for_the_same_reasons(served):
    project, runtime = served
    for case in [case for case in CASES if case["project"] == project and case["problems"]]:
        finished = runtime.run(case["pipeline"], **asked(case))
        found = finished.problems()
        assert sorted(found) == [problem["path"].removeprefix("input.") for problem in case["problems"]], case["name"]
        for problem in case["problems"]:
            # Of a value Python may suggest one, where TypeScript only tells the form.
            if problem["suggestion"] is not None:
                suggestion = found[problem["path"].removeprefix("input.")]["suggestion"]
                assert suggestion == problem["suggestion"], case["name"]


def test_a_run_takes_the_same_path(served):
    project, runtime = served
    for case in [case for case in CASES if case["project"] == project and not case["problems"]]:
        run = runtime.start(case["pipeline"], **asked(case))
        resolved = runtime.wait_for_event("run.resolved")
        runtime.send(type="cancel", run=run, reason="the path is known")
        runtime.finish()
        assert resolved["data"]["path"] == case["path"], case["name"]


def asked(case):
    request = case["request"]
    return {
        "inputs": request["inputs"],
        "finalVars": request["finalVars"],
        "config": request["config"],
        "executor": request["options"].get("executor"),
    }
