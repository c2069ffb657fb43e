"""What a project has is told without running it, and whatever is broken is told too."""

import pytest
from conftest import ProjectFolder
from runtime_process import EXAMPLES, RuntimeProcess

OK = "def out(x: int) -> int:\n    return x\n"
YAML = "run: {final_vars: [out]}\n"


def describe(shared, name, code=OK, yaml=YAML, **changes):
    shared.project.pipeline(name, code, yaml)
    return shared.runtime.describe(name, **changes)[name]


def problems(described):
    assert described["error"]["kind"] == "INVALID", described["error"]
    return {problem["path"]: problem for problem in described["error"]["problems"]}


def test_describes_the_pipelines_one_after_the_other(project):
    project.pipeline("good", OK, YAML)
    project.write("pipelines/unconfigured.py", "raise SystemExit('must not be imported')\n")
    project.write("pipelines/__init__.py", "")
    with RuntimeProcess(project.folder) as runtime:
        described = runtime.describe()
    kinds = [(m["type"], m.get("pipeline") if m["type"] == "describing" else None) for m in runtime.seen[1:]]
    assert kinds == [
        ("project", None),
        ("pipeline", None),
        ("describing", "good"),
        ("pipeline", None),
        ("described", None),
    ]
    assert described["project"]["name"] == "test"
    assert described["project"]["pipelines"] == [
        {"name": "good", "configured": True},
        {"name": "unconfigured", "configured": False},
    ]
    assert described["good"]["status"] == "ok"
    assert described["unconfigured"]["status"] == "unconfigured"


def test_a_module_without_a_yaml_is_told_by_its_text_and_imported_when_it_is_named(project):
    project.write("pipelines/helper.py", "FACTOR = 2\n")
    project.write("pipelines/bare.py", "from pipelines.helper import FACTOR\n" + OK)
    with RuntimeProcess(project.folder) as runtime:
        listed = runtime.describe()["bare"]
        named = runtime.describe("bare")["bare"]
    assert (listed["status"], listed["graph"], listed["inputs"]) == ("unconfigured", None, [])
    assert (named["status"], named["error"], named["finalVars"], named["leaves"]) == ("ok", None, None, ["out"])
    assert [given["name"] for given in named["inputs"]] == ["x"]
    assert len(listed["codeHash"]) == 64
    assert named["codeHash"] == listed["codeHash"]
    assert named["modules"] == listed["modules"]
    assert [module["file"] for module in listed["modules"]] == ["pipelines/bare.py", "pipelines/helper.py"]


def test_a_module_without_a_yaml_runs_with_final_variables_of_the_request(project):
    project.write("pipelines/bare.py", OK)
    with RuntimeProcess(project.folder) as runtime:
        ended = runtime.run("bare", {"x": 3}, finalVars=["out"])
        assert ended.value("out") == 3
        refused = runtime.run("bare", {"x": 3})
    assert refused.problems().keys() == {"finalVars"}


def test_tells_the_graph_in_an_order_in_which_it_could_run(faults):
    nodes = faults.describe("branches")["branches"]["graph"]["nodes"]
    names = [node["name"] for node in nodes]
    for node in nodes:
        assert all(names.index(needed) < names.index(node["name"]) for needed in node["dependsOn"])
    by_name = {node["name"]: node for node in nodes}
    assert by_name["item"]["kind"] == "expand"
    assert by_name["item"]["type"] == "Parallelizable[int]"
    assert by_name["total"]["kind"] == "collect"
    assert by_name["items"]["kind"] == "input"
    squared = by_name["squared"]
    assert (squared["file"], squared["module"], squared["function"]) == (
        "pipelines/branches.py",
        "pipelines.branches",
        "squared",
    )
    source = (EXAMPLES / "faults/pipelines/branches.py").read_text().splitlines()
    assert source[squared["line"] - 1].startswith("def squared")
    assert squared["doc"] == "The item's square; fails for the item `fails_at`."
    assert len(squared["codeHash"]) == 64


def test_tells_inputs_with_schema_default_and_where_it_comes_from(project):
    code = '''
        """Trips of a day."""
        import datetime
        def out(day: datetime.date, limit: float, name: str = "Alex", note: str | None = None, port: int = 1) -> str:
            """The report.

            :param day: the day to look at
            """
            return name
    '''
    yaml = "run:\n  final_vars: [out]\n  inputs: {limit: 5, port: 80}\n"
    project.pipeline("inputs", code, yaml)
    with RuntimeProcess(project.folder, env={"FP_PIPELINE__RUN__INPUTS__PORT": "8080"}) as runtime:
        described = runtime.describe("inputs")["inputs"]
    assert described["doc"] == "Trips of a day."
    inputs = {item["name"]: item for item in described["inputs"]}
    assert inputs["day"] == {
        "name": "day",
        "type": "datetime.date",
        "schema": {"type": "string", "format": "date"},
        "required": True,
        "default": None,
        "doc": "the day to look at",
        "usedBy": ["out"],
    }
    assert inputs["limit"]["default"] == {"value": 5, "source": "conf/pipelines/inputs.yml", "reference": None}
    assert inputs["name"]["default"] == {"value": "Alex", "source": "code", "reference": None}
    assert inputs["note"]["default"] == {"value": None, "source": "code", "reference": None}
    assert inputs["port"]["default"] == {
        "value": None,
        "source": "environment FP_PIPELINE__RUN__INPUTS__PORT",
        "reference": "${FP_PIPELINE__RUN__INPUTS__PORT}",
    }
    assert "8080" not in str(described)


def test_references_are_published_as_they_are_written(project):
    yaml = """
        params: {table: {name: "${TABLE:-trips}", price: "$$5"}}
        run:
          final_vars: ["${WANTED}"]
          config: {mode: "${MODE}"}
          inputs: {x: {a: ["${SECRET}"]}}
    """
    project.pipeline("refs", "def out(x: dict) -> int: return 1\n", yaml)
    with RuntimeProcess(
        project.folder, env={"TABLE": "hidden1", "MODE": "hidden2", "SECRET": "hidden3", "WANTED": "out"}
    ) as runtime:
        described = runtime.describe("refs")["refs"]
    assert described["status"] == "ok", described["error"]
    assert described["params"] == {"table": {"name": "${TABLE:-trips}", "price": "$$5"}}
    assert described["config"] == {"mode": "${MODE}"}
    assert described["finalVars"] == ["out"]
    assert described["inputs"][0]["default"]["reference"] == '{"a": ["${SECRET}"]}'
    assert "hidden" not in str(described)


def test_another_config_gives_another_graph(shared):
    code = """
        from hamilton.function_modifiers import config
        @config.when(source="csv")
        def spend__csv(path: str) -> int: return 1
        @config.when(source="api")
        def spend__api(url: str) -> int: return 2
        def out(spend: int) -> int: return spend
    """
    yaml = "run: {final_vars: [out], config: {source: csv}}\n"
    assert [i["name"] for i in describe(shared, "variants", code, yaml)["inputs"]] == ["path"]
    other = describe(shared, "variants", code, yaml, config={"source": "api"})
    assert [i["name"] for i in other["inputs"]] == ["url"]
    assert other["config"] == {"source": "csv"}
    assert {"name": "source", "kind": "config"}.items() <= other["graph"]["nodes"][0].items() or any(
        node["name"] == "source" and node["kind"] == "config" for node in other["graph"]["nodes"]
    )


@pytest.mark.parametrize(
    ("code", "type_", "message"),
    [
        ("import sys\nsys.exit('at import')\n", "SystemExit", "at import"),
        ("import not_installed_here\n", "ModuleNotFoundError", "not_installed_here"),
        ("def out(: int\n", "SyntaxError", "invalid syntax"),
        ("1 / 0\n", "ZeroDivisionError", "division by zero"),
        ("def out(x) -> int: return 1\n", "", "out"),
    ],
    ids=["exit", "missing", "half-saved", "raises", "no types"],
)
def test_a_broken_module_is_told(shared, code, type_, message):
    described = describe(shared, "brokenmodule", code)
    assert described["status"] == "broken"
    assert message in described["error"]["message"]
    if type_:
        assert described["error"]["type"] == type_
        assert (described["error"]["file"], described["error"]["line"]) == (
            "pipelines/brokenmodule.py",
            len(code.splitlines()),
        )
    assert describe(shared, "brokenmodule")["status"] == "ok"


def test_a_missing_package_comes_with_the_command(shared):
    hint = describe(shared, "hinted", "import sklearn.nothing_like_this\n")["error"]["hint"]
    assert hint is not None
    assert hint.endswith("-m pip install scikit-learn")


def test_a_cycle_is_told_and_does_not_hang(shared):
    described = describe(shared, "cyclic", "def a(b: int) -> int: return b\ndef b(a: int) -> int: return a\n")
    assert described["status"] == "broken"
    assert "need each other" in problems(described)["graph"]["message"]


def test_broken_yaml_is_told_with_its_place(shared):
    described = describe(shared, "halfyaml", OK, "run:\n  final_vars: [out\n")
    assert "not valid YAML: line 3" in problems(described)["conf/pipelines/halfyaml.yml"]["message"]


def test_an_unknown_pipeline_is_told_with_the_nearest(shared):
    describe(shared, "present")
    described = shared.runtime.describe("presnt")["presnt"]
    assert described["status"] == "broken"
    assert problems(described)["pipeline"]["suggestion"] == "present"


SETTINGS = """
    job_queue:
      queue: nightly
      timeout: 30m
      concurrency: 1
      concurrency_key: inputs.region
      needs: [gpu, region=eu]
      job_defaults: {max_retries: 2, retry_delay: 10s, retry_exceptions: ConnectionError, on_worker_lost: fail, max_memory: 2GB, max_cpu: 10m, runtime: fresh, results: summary, reuse: full, failure_ttl: 90d, statistics: off}
    run: {final_vars: [out]}
"""


def test_settings_of_the_queue_are_read(shared):
    assert describe(shared, "settings", OK, SETTINGS)["jobQueue"] == {
        "queue": "nightly",
        "timeoutMs": 1_800_000,
        "retry": {"maxRetries": 2, "retryDelay": 10.0, "retryExceptions": ["ConnectionError"]},
        "onWorkerLost": "fail",
        "maxMemoryBytes": 2_000_000_000,
        "maxCpuMs": 600_000,
        "runtime": "fresh",
        "results": "summary",
        "reuse": "full",
        "failureTtlMs": 7_776_000_000,
        "statistics": "off",
        "concurrency": 1,
        "concurrencyKey": ["inputs.region"],
        "needs": ["gpu", "region=eu"],
        "priority": None,
        "ttlMs": None,
    }


RETRYING = """
    job_queue:
      retry: {max_retries: 4, backoff: fixed, retry_delay: 10s, non_retryable_exceptions: [ValidationError, "shop.NotOpen"]}
      job_defaults:
        priority: 80
        ttl: 2h
        retry: {delays: [1, 10s, 0.5], max_delay: 1m, jitter_factor: 0, retry_exceptions: OSError}
    run: {final_vars: [out], retry: {max_retries: 1}}
"""


def test_a_retry_has_all_that_a_request_can_say(shared):
    described = describe(shared, "retries", OK, RETRYING)
    assert (described["jobQueue"]["priority"], described["jobQueue"]["ttlMs"]) == (80, 7_200_000)
    assert described["jobQueue"]["retry"] == {
        "maxRetries": 4,
        "backoff": "fixed",
        "retryDelay": 10.0,
        "nonRetryableExceptions": ["ValidationError", "shop.NotOpen"],
        "delays": [1.0, 10.0, 0.5],
        "maxDelay": 60.0,
        "jitterFactor": 0,
        "retryExceptions": ["OSError"],
    }
    assert described["retry"]["maxRetries"] == 1


@pytest.mark.parametrize(
    ("section", "key", "suggestion"),
    [
        ("{job_default: {}}", "job_default", "job_defaults"),
        ("{job_defaults: {max_retry: 1}}", "job_defaults.max_retry", "max_retries"),
        ("{timeout: soon}", "timeout", None),
        ("{timeout: 0}", "timeout", None),
        ("{max_retries: -1}", "max_retries", None),
        ("{max_retries: yes}", "max_retries", None),
        ("{job_defaults: {max_mem: 2GB}}", "job_defaults.max_mem", "max_memory"),
        ("{job_defaults: {max_memory: 2G}}", "job_defaults.max_memory", "2GB"),
        ("{job_defaults: {max_memory: 512}}", "job_defaults.max_memory", "512MB"),
        ("{job_defaults: {max_memory: lots}}", "job_defaults.max_memory", None),
        ("{job_defaults: {max_memory: yes}}", "job_defaults.max_memory", None),
        ("{job_defaults: {max_memory: -2GB}}", "job_defaults.max_memory", None),
        ("{job_defaults: {max_memory: 10MB}}", "job_defaults.max_memory", None),
        ("{job_defaults: {max_cpus: 10}}", "job_defaults.max_cpus", "max_cpu"),
        ("{job_defaults: {max_cpu: 0}}", "job_defaults.max_cpu", None),
        ("{job_defaults: {max_cpu: .inf}}", "job_defaults.max_cpu", None),
        ("{job_defaults: {max_cpu: .nan}}", "job_defaults.max_cpu", None),
        ("{job_defaults: {max_memory: 999999999999999TB}}", "job_defaults.max_memory", None),
        ("{job_defaults: {max_cpu: two cores}}", "job_defaults.max_cpu", None),
        ("{runtime: warmer}", "runtime", "warm"),
        ("{backend: redis}", "backend", None),
        ("{python: .venv}", "python", None),
        ("{env_file: .env}", "env_file", None),
        ("{job_defaults: {queue: nächtlich}}", "job_defaults.queue", None),
        ("{job_defaults: {queue: [nightly]}}", "job_defaults.queue", None),
        ("{queues: [nightly, nächtlich]}", "queues", None),
        ("{queues: [a b]}", "queues", None),
        ("{concurrency: 0}", "concurrency", None),
        ("{concurrency: two}", "concurrency", None),
        ("{concurrency_key: region}", "concurrency_key", None),
        ("{concurrency_key: [inputs.region, params.x]}", "concurrency_key", None),
        ("{needs: [gpu, a b]}", "needs", None),
        ("{needs: 5}", "needs", None),
        ("{queue: over night}", "queue", None),
        ("{job_defaults: {queue: " + "q" * 61 + "}}", "job_defaults.queue", None),
        ("{queues: [nightly, over/night]}", "queues", None),
        ("{retry: 3}", "retry", None),
        ("{retry: {max_retrys: 3}}", "retry.max_retrys", "max_retries"),
        ("{job_defaults: {retry: {delays: []}}}", "job_defaults.retry.delays", None),
        ("{job_defaults: {retry: {delays: 5}}}", "job_defaults.retry.delays", None),
        ("{job_defaults: {retry: {delays: [1, soon]}}}", "job_defaults.retry.delays.1", None),
        ("{job_defaults: {retry: {max_delay: 25h}}}", "job_defaults.retry.max_delay", None),
        ("{job_defaults: {retry: {backoff: fix}}}", "job_defaults.retry.backoff", "fixed"),
        (
            "{job_defaults: {retry: {non_retryable_exceptions: [a b]}}}",
            "job_defaults.retry.non_retryable_exceptions",
            None,
        ),
        ("{job_defaults: {max_retries: 1, retry: {max_retries: 2}}}", "job_defaults.retry.max_retries", None),
        ("{priority: 101}", "priority", None),
        ("{priority: high}", "priority", None),
        ("{ttl: 0}", "ttl", None),
        ("{queues: {nightly: {}, " + "q" * 61 + ": {}}}", "queues", None),
        ("5", "", None),
    ],
)
def test_a_mistake_in_the_queues_settings_is_an_error_with_its_place(shared, section, key, suggestion):
    described = describe(shared, "mistake", OK, f"job_queue: {section}\nrun: {{final_vars: [out]}}\n")
    place = "conf/pipelines/mistake.yml: job_queue" + (f".{key}" if key else "")
    assert described["status"] == "broken"
    assert problems(described)[place]["suggestion"] == suggestion
    assert (f"Did you mean {suggestion}?" in described["error"]["message"]) == (suggestion is not None)
    assert place in shared.runtime.run("mistake", {"x": 1}).problems()


def test_settings_of_the_queue_may_refer_to_the_environment(project):
    yaml = "job_queue: {timeout: '${SECONDS:-30m}', job_defaults: {max_retries: '${TRIES}'}}\n" + YAML
    project.pipeline("settings", OK, yaml)
    project.pipeline("needs", OK, "job_queue: {queue: '${WHICH:?say which}'}\n" + YAML)
    with RuntimeProcess(project.folder, env={"TRIES": "4"}) as runtime:
        described = runtime.describe()
    assert described["settings"]["jobQueue"]["timeoutMs"] == 1_800_000
    assert described["settings"]["jobQueue"]["retry"] == {"maxRetries": 4}
    place = "conf/pipelines/needs.yml: job_queue"
    assert problems(described["needs"])[place]["message"] == "say which"


def test_unknown_keys_of_flowerpower_are_warnings(shared):
    yaml = "parms: {}\nrun: {final_vars: [out], final_var: [x], cache: true, inputs: {xx: 1}, executor: {typ: local, type: treads}}\n"
    yaml += "adapter: {hamilton_trackr: {}, mlflow: {run_nam: x}}\n"
    described = describe(shared, "warned", OK, yaml)
    assert described["status"] == "ok"
    found = {warning["path"].partition(": ")[2]: warning["suggestion"] for warning in described["warnings"]}
    assert found == {
        "parms": "params",
        "adapter.hamilton_trackr": "hamilton_tracker",
        "adapter.mlflow.run_nam": "run_name",
        "run.final_var": "final_vars",
        "run.cache": None,
        "run.executor.typ": "type",
        "run.executor.type": "threadpool" if found["run.executor.type"] else None,
        "run.inputs.xx": "x",
    }


def test_only_a_written_retry_counts(shared):
    assert describe(shared, "noretry")["retry"] is None
    written = describe(shared, "retrying", OK, "run: {final_vars: [out], retry: {max_retries: 1}}\n")["retry"]
    assert written == {"maxRetries": 1, "retryDelay": 1.0, "jitterFactor": 0.1, "retryExceptions": ["Exception"]}


def test_the_projects_own_settings_and_mistakes(project):
    project.write(
        "conf/project.yml", "name: shop\njob_queue: {queues: {nightly: {}, day: {}}, timezone: UTC}\nnames: x\n"
    )
    with RuntimeProcess(project.folder) as runtime:
        described = runtime.describe()["project"]
        assert described["queues"] == ["nightly", "day"]
        assert [w["suggestion"] for w in described["warnings"]] == ["name"]
        assert described["error"] is None
        project.write("conf/project.yml", "name: [half\n")
        assert "not valid YAML" in runtime.describe()["project"]["error"]["message"]


def test_a_project_says_what_its_jobs_in_a_queue_are_run_with(project):
    says = "{priority: 10, ttl: 2h, timeout: 30m, max_retries: 2, retry: {delays: [1, 5]}, needs: gpu, on_worker_lost: fail}"
    project.write("conf/project.yml", f"job_queue: {{queues: {{nightly: {says}, day: null, night: {{}}}}}}\n")
    with RuntimeProcess(project.folder) as runtime:
        described = runtime.describe()["project"]
        assert described["queues"] == ["nightly", "day", "night"]
        assert described["queueDefaults"] == {
            "nightly": {
                "priority": 10,
                "ttlMs": 7_200_000,
                "timeoutMs": 1_800_000,
                "retry": {"maxRetries": 2, "delays": [1.0, 5.0]},
                "needs": ["gpu"],
                "onWorkerLost": "fail",
            }
        }
        listed = "job_queue: {queues: [day, {name: nightly, priority: 10}]}\n"
        project.write("conf/project.yml", listed)
        described = runtime.describe()["project"]
        assert (described["queues"], described["queueDefaults"]) == (["day", "nightly"], {"nightly": {"priority": 10}})


@pytest.mark.parametrize(
    ("queues", "key", "suggestion"),
    [
        ("{nightly: {prority: 1}}", "queues.nightly.prority", "priority"),
        ("{nightly: {priority: 101}}", "queues.nightly.priority", None),
        ("{nightly: {retry: {delays: []}}}", "queues.nightly.retry.delays", None),
        ("{nightly: {concurrency: 3}}", "queues.nightly.concurrency", None),
        ("{nightly: 5}", "queues.nightly", None),
        ("[day, {name: nightly, max_memory: 2GB}]", "queues.1.max_memory", None),
    ],
)
def test_a_mistake_in_what_is_said_of_a_queue_is_an_error_with_its_place(project, queues, key, suggestion):
    project.write("conf/project.yml", f"job_queue: {{queues: {queues}}}\n")
    with RuntimeProcess(project.folder) as runtime:
        described = runtime.describe()["project"]
    assert problems(described)[f"conf/project.yml: job_queue.{key}"]["suggestion"] == suggestion


def test_a_broken_project_file_does_not_keep_the_runtime_from_starting(project):
    project.write("conf/project.yml", "name: [half\n")
    project.pipeline("p", OK, "run: {final_vars: [out], inputs: {x: 1}}\n")
    with RuntimeProcess(project.folder) as runtime:
        assert "conf/project.yml" in runtime.run("p").problems()
        assert runtime.describe()["p"]["status"] == "broken"
        project.write("conf/project.yml", "name: mended\n")
        assert runtime.run("p").value("out") == 1


def test_yaml_values_that_json_cannot_carry_become_text(shared):
    described = describe(
        shared, "odd", OK, "params: {day: 2026-11-23, n: .nan, big: 123456789012345678901, 1: one}\n" + YAML
    )
    assert described["params"] == {"day": "2026-11-23", "n": "nan", "big": "123456789012345678901", "1": "one"}


def test_what_flowerpower_cannot_take_in_the_project_file_is_told_there(project):
    project.write("conf/project.yml", "name: test\nadapter: {hamilton_tracker: {api_url: null}}\n")
    project.pipeline("one", "def out() -> int: return 1\n", "run: {final_vars: [out]}\n")
    with RuntimeProcess(project.folder) as runtime:
        described = runtime.describe()
        run = runtime.run("one")
    for error in (described["project"]["error"], described["one"]["error"], run.error):
        assert error["kind"] == "INVALID"
        assert [problem["path"] for problem in error["problems"]] == ["conf/project.yml"]
        assert "api_url" in error["problems"][0]["message"]


def test_a_folder_may_have_a_name_that_flowerpower_takes_for_dangerous(tmp_path):
    project = ProjectFolder(tmp_path / "Bob's & Eve's projects")
    code = "from pathlib import Path\ndef out() -> str: return Path('conf/project.yml').read_text()\n"
    project.pipeline("one", code, "run: {final_vars: [out]}\n")
    with RuntimeProcess(project.folder) as runtime:
        assert runtime.describe("one")["one"]["status"] == "ok"
        assert [runtime.run("one").value("out") for _ in range(2)] == ["name: test\n"] * 2


def test_a_module_that_goes_elsewhere_does_not_take_the_next_one_along(project):
    project.pipeline("a", "import os\nos.chdir('/')\ndef out() -> int: return 1\n")
    project.pipeline("b", "TEXT = open('conf/project.yml').read()\ndef out() -> str: return TEXT\n")
    with RuntimeProcess(project.folder) as runtime:
        described = runtime.describe()
    assert [described[name]["status"] for name in ("a", "b")] == ["ok", "ok"]
