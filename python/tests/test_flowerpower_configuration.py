"""The same cases for the real FlowerPower and for the runtime: both resolve the same, and the runtime says from where.

What is in the table is written as users write it: YAML values, every form of `${VAR}`, overlays of the environment, the
flat retry fields of old, run-time arguments.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from runtime_process import RuntimeProcess

from flowerpower_job_queue.origin import keyed_hash

KEY = bytes(range(32))
YAML = "conf/pipelines/case.yml"
DEFAULT = "FlowerPower default"

CODE = """
    from pathlib import Path
    from typing import Any
    from flowerpower.cfg import Config
    from hamilton.function_modifiers import config

    PARAMS = Config.load(str(Path(__file__).parents[1]), pipeline_name="case").pipeline.params

    def got(a: Any, b: Any = "code") -> dict: return {"a": a, "b": b}
    @config.when(mode="fast")
    def speed__fast() -> str: return "fast"
    @config.when_not(mode="fast")
    def speed__slow(mode: Any = "none") -> str: return f"slow {mode!r}"
    def params() -> dict: return PARAMS
"""


@dataclass
class Case:
    name: str
    yaml: str
    # By path: where the value comes from, or (where from, what stands for it).
    sources: dict[str, str | tuple[str, str]]
    env: dict[str, str] = field(default_factory=dict)
    project: str = "name: case\n"
    arguments: dict[str, Any] = field(default_factory=dict)


def overlay(name: str, variable: str, text: str, path: str, yaml: str = "", **more: Any) -> Case:
    base = yaml or "run: {final_vars: [got], inputs: {a: 1}}\n"
    return Case(name, base, {path: (f"environment {variable}", f"${{{variable}}}")}, {variable: text}, **more)


def reference(name: str, text: str, env: dict[str, str]) -> Case:
    return Case(
        name, f"run: {{final_vars: [got], inputs: {{a: '{text}'}}}}\n", {"inputs.a": (YAML, text)}, {"X": "", **env}
    )


CASES = [
    Case(
        "yaml of every type",
        """
        # a comment of the user's
        params: {out: {rows: 5}, name: x}
        run:
          final_vars: [got, speed, params]
          inputs: {a: [1, 2.5, null, true, text], b: {deep: {deeper: 1}}}
          config: {mode: fast, on: false}
          log_level: DEBUG
          executor: {type: synchronous, max_workers: 3}
          retry: {max_retries: 2, retry_delay: 0.5, jitter_factor: 0.2, retry_exceptions: [ValueError, KeyError]}
          with_adapter: {progressbar: false}
        adapter: {hamilton_tracker: {dag_name: nightly}}
        """,
        {
            "inputs.a": YAML,
            "config.mode": YAML,
            "final_vars": YAML,
            "log_level": YAML,
            "executor.type": YAML,
            "executor.num_cpus": DEFAULT,
            "retry.retry_exceptions": YAML,
            "with_adapter.progressbar": YAML,
            "with_adapter.mlflow": DEFAULT,
            "params.out": YAML,
            "adapter.hamilton_tracker.dag_name": YAML,
        },
    ),
    Case(
        "nothing but a final variable",
        "run: {final_vars: [got], inputs: {a: 1}}\n",
        {"log_level": DEFAULT, "executor.type": DEFAULT, "retry.max_retries": DEFAULT, "inputs.b": "code"},
    ),
    Case("sections that are null", "run: {final_vars: [speed], inputs: null}\nparams:\n", {}),
    Case("the file outside of pipelines/", "run: {final_vars: [got], inputs: {a: 7}}\n", {"inputs.a": "conf/case.yml"}),
    reference("a variable", "${X}", {"X": "text"}),
    reference("a variable without braces", "$X", {"X": "text"}),
    reference("a variable in a text", "day ${X}, $X", {"X": "7"}),
    reference("a number in a variable", "${X}", {"X": "7"}),
    reference("a fraction in a variable", "${X}", {"X": "-1.50"}),
    reference("JSON in a variable", "${X}", {"X": '{"k": [1, null]}'}),
    reference("a boolean in a variable", "${X}", {"X": "true"}),
    reference("an empty variable", "${X}", {}),
    reference("a default for an empty variable", "${X:-5}", {}),
    reference("a default for an unset variable", "${X9-five}", {}),
    reference("an empty value where unset has a default", "${X-five}", {}),
    reference("a needed variable", "${X:?is needed}", {"X": "here"}),
    reference("an escaped dollar beside a variable", "$$5 and ${X}", {"X": "6"}),
    Case("an escaped dollar", "run: {final_vars: [got], inputs: {a: '$$5'}}\n", {"inputs.a": YAML}),
    Case(
        "a reference inside",
        "run: {final_vars: [got], inputs: {a: {url: '${X}', n: 1}}}\n",
        {"inputs.a": (YAML, '{"url": "${X}", "n": 1}')},
        {"X": "https://me:hush@host"},
    ),
    Case(
        "a section that is one reference",
        "run: {final_vars: [got], inputs: '${X}', config: '${Y}'}\n",
        {"inputs.a": (YAML, "${X}"), "config.mode": (YAML, "${Y}")},
        {"X": '{"a": 5}', "Y": '{"mode": "fast"}'},
    ),
    Case(
        "references everywhere",
        """
        run:
          final_vars: ['${X:-got}']
          inputs: {a: 1}
          log_level: ${LEVEL}
          executor: {type: '${KIND}', max_workers: '${MANY}'}
          retry: {max_retries: '${TRIES}', retry_exceptions: ['${ERROR}']}
        params: {secret: '${X:-p}'}
        """,
        {
            "log_level": (YAML, "${LEVEL}"),
            "executor.type": (YAML, "${KIND}"),
            "executor.max_workers": (YAML, "${MANY}"),
            "retry.max_retries": (YAML, "${TRIES}"),
            "retry.retry_exceptions": (YAML, '["${ERROR}"]'),
            "final_vars": (YAML, '["${X:-got}"]'),
        },
        {"LEVEL": "WARNING", "KIND": "synchronous", "MANY": "2", "TRIES": "4", "ERROR": "KeyError"},
    ),
    overlay("an input", "FP_PIPELINE__RUN__INPUTS__A", "5", "inputs.a"),
    overlay("an input that YAML lacks", "FP_PIPELINE__RUN__INPUTS__B", "x", "inputs.b"),
    overlay("a list by commas", "FP_PIPELINE__RUN__INPUTS__A", "x, y", "inputs.a"),
    overlay("JSON", "FP_PIPELINE__RUN__INPUTS__A", '{"k": 1}', "inputs.a"),
    overlay("a boolean", "FP_PIPELINE__RUN__INPUTS__A", "True", "inputs.a"),
    overlay("an input's inside", "FP_PIPELINE__RUN__INPUTS__A__K", "1", "inputs.a"),
    overlay("all inputs as JSON", "FP_PIPELINE__RUN__INPUTS", '{"b": 5}', "inputs.b"),
    overlay("the whole run as JSON", "FP_PIPELINE__RUN", '{"inputs": {"b": 5}}', "inputs.b"),
    overlay("names in lower case", "FP_pipeline__run__inputs__b", "5", "inputs.b"),
    overlay("the log level", "FP_PIPELINE__RUN__LOG_LEVEL", "ERROR", "log_level"),
    overlay("the log level by its old name", "FP_LOG_LEVEL", "ERROR", "log_level"),
    overlay("the executor", "FP_PIPELINE__RUN__EXECUTOR__TYPE", "synchronous", "executor.type"),
    overlay("the executor by its old name", "FP_EXECUTOR", "synchronous", "executor.type"),
    overlay("workers by their old name", "FP_EXECUTOR_MAX_WORKERS", "3", "executor.max_workers"),
    overlay("retries", "FP_PIPELINE__RUN__RETRY__MAX_RETRIES", "5", "retry.max_retries"),
    overlay("retries by their old name", "FP_MAX_RETRIES", "5", "retry.max_retries"),
    overlay(
        "exceptions",
        "FP_PIPELINE__RUN__RETRY__RETRY_EXCEPTIONS",
        "ValueError,KeyError",
        "retry.retry_exceptions",
        "run: {final_vars: [got], inputs: {a: 1}, retry: {retry_exceptions: [OSError]}}\n",
    ),
    overlay("config", "FP_PIPELINE__RUN__CONFIG__MODE", "fast", "config.mode", "run: {final_vars: [speed]}\n"),
    overlay("params", "FP_PIPELINE__PARAMS__OUT", "7", "params.out", "params: {out: 1}\nrun: {final_vars: [params]}\n"),
    overlay("final variables", "FP_PIPELINE__RUN__FINAL_VARS", "got,speed", "final_vars"),
    overlay("an adapter", "FP_PIPELINE__ADAPTER__HAMILTON_TRACKER__DAG_NAME", "d", "adapter.hamilton_tracker.dag_name"),
    overlay(
        "the project's adapter",
        "FP_PROJECT__ADAPTER__HAMILTON_TRACKER__API_URL",
        "http://there",
        "project.adapter.hamilton_tracker.api_url",
    ),
    overlay("a number with a sign", "FP_PIPELINE__RUN__INPUTS__A", "-1", "inputs.a"),
    overlay("a number with an exponent", "FP_PIPELINE__RUN__INPUTS__A", "1e3", "inputs.a"),
    overlay("a number with zeros before it", "FP_PIPELINE__RUN__INPUTS__A", "007", "inputs.a"),
    overlay("a number in quotes", "FP_PIPELINE__RUN__INPUTS__A", '"7"', "inputs.a"),
    overlay("null", "FP_PIPELINE__RUN__INPUTS__A", "null", "inputs.a"),
    overlay("a word for no", "FP_PIPELINE__RUN__INPUTS__A", "no", "inputs.a"),
    overlay("a boolean in capitals", "FP_PIPELINE__RUN__INPUTS__A", "FALSE", "inputs.a"),
    overlay("a list as JSON", "FP_PIPELINE__RUN__INPUTS__A", '[1, "2", true, null]', "inputs.a"),
    overlay("broken JSON", "FP_PIPELINE__RUN__INPUTS__A", '{"k": ', "inputs.a"),
    overlay("one item and a comma", "FP_PIPELINE__RUN__INPUTS__A", "x,", "inputs.a"),
    overlay("numbers by commas", "FP_PIPELINE__RUN__INPUTS__A", "1,2.5", "inputs.a"),
    overlay("spaces around", "FP_PIPELINE__RUN__INPUTS__A", "  x  ", "inputs.a"),
    overlay("other scripts", "FP_PIPELINE__RUN__INPUTS__A", "größe 大きさ", "inputs.a"),
    overlay("a text that looks like a reference", "FP_PIPELINE__RUN__INPUTS__A", "${HOME_OF_NOBODY:-x}", "inputs.a"),
    overlay("processors", "FP_PIPELINE__RUN__EXECUTOR__NUM_CPUS", "2", "executor.num_cpus"),
    overlay("the delay of a retry", "FP_PIPELINE__RUN__RETRY__RETRY_DELAY", "0.5", "retry.retry_delay"),
    overlay("the delay by its old name", "FP_RETRY_DELAY", "0.5", "retry.retry_delay"),
    overlay("the jitter by its old name", "FP_JITTER_FACTOR", "0.5", "retry.jitter_factor"),
    overlay(
        "the whole config as JSON",
        "FP_PIPELINE__RUN__CONFIG",
        '{"mode": "fast"}',
        "config.mode",
        "run: {final_vars: [speed], config: {mode: slow}}\n",
    ),
    overlay(
        "an adapter that is off", "FP_PIPELINE__RUN__WITH_ADAPTER__PROGRESSBAR", "false", "with_adapter.progressbar"
    ),
    overlay(
        "nested params",
        "FP_PIPELINE__PARAMS__OUT__ROWS",
        "7",
        "params.out",
        "params: {out: {rows: 1, cols: 2}}\nrun: {final_vars: [params]}\n",
    ),
    overlay(
        "retries over flat ones",
        "FP_PIPELINE__RUN__RETRY__MAX_RETRIES",
        "5",
        "retry.max_retries",
        "run: {final_vars: [got], inputs: {a: 1}, max_retries: 2}\n",
    ),
    overlay(
        "an input over a reference",
        "FP_PIPELINE__RUN__INPUTS__A",
        "5",
        "inputs.a",
        "run: {final_vars: [got], inputs: {a: '${X:-9}'}}\n",
    ),
    Case(
        "several overlays at once",
        "run: {final_vars: [got], inputs: {a: 1, b: 2}, log_level: INFO}\n",
        {
            "inputs.a": ("environment FP_PIPELINE__RUN__INPUTS__A", "${FP_PIPELINE__RUN__INPUTS__A}"),
            "inputs.b": YAML,
            "log_level": ("environment FP_PIPELINE__RUN__LOG_LEVEL", "${FP_PIPELINE__RUN__LOG_LEVEL}"),
            "executor.max_workers": (
                "environment FP_PIPELINE__RUN__EXECUTOR__MAX_WORKERS",
                "${FP_PIPELINE__RUN__EXECUTOR__MAX_WORKERS}",
            ),
        },
        {
            "FP_PIPELINE__RUN__INPUTS__A": "[1, {}]",
            "FP_PIPELINE__RUN__LOG_LEVEL": "WARNING",
            "FP_PIPELINE__RUN__EXECUTOR__MAX_WORKERS": "3",
        },
    ),
    Case(
        "numbers as text, and texts that YAML 1.1 reads otherwise",
        """
        run:
          final_vars: [got]
          inputs: {a: ["7", 7, 07, 0x1F, 1_000, 1e3, 1.0e+3, .5, 12:30, yes, on, ~, "~", !!str 5], b: '1e3'}
        """,
        {"inputs.a": YAML, "inputs.b": YAML},
    ),
    Case(
        "texts over several lines, anchors and merges",
        """
        run:
          final_vars: [got]
          inputs:
            a: &base {x: 1, text: "line\\nline"}
            b:
              <<: *base
              y: |
                first
                second
        """,
        {"inputs.a": YAML, "inputs.b": YAML},
    ),
    Case(
        "references in lists and in keys",
        "run: {final_vars: [got], inputs: {a: ['${X}', '${Y:-[1, 2]}', {'${X}': '${X:-z}'}], b: 1}}\n",
        {"inputs.a": (YAML, '["${X}", "${Y:-[1, 2]}", {"${X}": "${X:-z}"}]'), "inputs.b": YAML},
        {"X": "5"},
    ),
    reference("a default with a colon", "${X9:-http://host:80/a}", {}),
    reference("a default that is empty", "${X9:-}", {}),
    reference("a default of JSON", '${X9:-{"k": 1}}', {}),
    reference("a default that refers", "${X9:-${X}}", {"X": "inner"}),
    reference("a default that is a boolean", "${X9:-false}", {}),
    reference("a default that is a number as text", "${X9:-007}", {}),
    reference("a variable that is not set", "${X9}", {}),
    reference("two variables beside each other", "${X}${X}", {"X": "5"}),
    reference("a number with an exponent in a variable", "${X}", {"X": "1e3"}),
    reference("null in a variable", "${X}", {"X": "null"}),
    reference("a variable that refers to another", "${X}", {"X": "${HOME}"}),
    reference("a colon alone is no default", "${X:5}", {"X": "here"}),
    Case(
        "the new name wins over the old one",
        "run: {final_vars: [got], inputs: {a: 1}}\n",
        {"log_level": ("environment FP_PIPELINE__RUN__LOG_LEVEL", "${FP_PIPELINE__RUN__LOG_LEVEL}")},
        {"FP_LOG_LEVEL": "ERROR", "FP_PIPELINE__RUN__LOG_LEVEL": "WARNING"},
    ),
    Case(
        "one overlay that does not fit, and FlowerPower drops them all",
        "run: {final_vars: [got], inputs: {a: 1}, log_level: DEBUG}\n",
        {"inputs.a": YAML, "log_level": YAML, "executor.type": DEFAULT},
        {
            "FP_PIPELINE__RUN__EXECUTOR": "synchronous",
            "FP_PIPELINE__RUN__INPUTS__A": "9",
            "FP_PIPELINE__RUN__LOG_LEVEL": "ERROR",
        },
    ),
    Case(
        "flat retry fields",
        "run: {final_vars: [got], inputs: {a: 1}, max_retries: 5, retry_delay: '2', retry_exceptions: KeyError}\n",
        {"retry.max_retries": YAML, "retry.retry_delay": YAML, "retry.jitter_factor": DEFAULT},
    ),
    Case(
        "flat retry fields beside the nested ones",
        "run: {final_vars: [got], inputs: {a: 1}, max_retries: 5, jitter_factor: 0.3, retry: {max_retries: 2}}\n",
        {"retry.max_retries": YAML, "retry.jitter_factor": YAML, "retry.retry_delay": DEFAULT},
    ),
    Case(
        "flat retry fields with references",
        "run: {final_vars: [got], inputs: {a: 1}, max_retries: '${X}'}\n",
        {"retry.max_retries": (YAML, "${X}")},
        {"X": "4"},
    ),
    Case(
        "flat retry fields among comments and our section",
        """
        # The first line is the user's.
        params: {out: 5}   # so is this

        run:
          final_vars: [got]
          inputs: {a: 1}
          # about the retries
          max_retries: 5   # five
          retry_delay: 0.25
          jitter_factor: 0
          retry_exceptions: [ValueError, KeyError]
        job_queue:
          # ours
          job_defaults: {timeout: 30m, max_retries: 1}
        """,
        {
            "retry.max_retries": YAML,
            "retry.retry_delay": YAML,
            "retry.jitter_factor": YAML,
            "retry.retry_exceptions": YAML,
        },
    ),
    Case(
        "flat retry fields that are null",
        "run: {final_vars: [got], inputs: {a: 1}, max_retries: null, retry_delay: null}\n",
        {},
    ),
    Case(
        "a flat retry field as an overlay, which does nothing",
        "run: {final_vars: [got], inputs: {a: 1}}\n",
        {"retry.max_retries": DEFAULT},
        {"FP_PIPELINE__RUN__MAX_RETRIES": "5"},
    ),
    Case(
        "project.yml",
        "run: {final_vars: [got], inputs: {a: 1}}\n",
        {"project.adapter.hamilton_tracker.api_url": ("conf/project.yml", "http://${HOST:-nowhere}")},
        project="name: case\nadapter: {hamilton_tracker: {api_url: 'http://${HOST:-nowhere}'}}\n",
    ),
    Case(
        "run-time arguments over all",
        "run: {final_vars: [params], inputs: {a: 1, b: 2}, config: {mode: slow, x: 1}, log_level: DEBUG}\n",
        {
            "inputs.a": "request",
            "inputs.b": ("environment FP_PIPELINE__RUN__INPUTS__B", "${FP_PIPELINE__RUN__INPUTS__B}"),
            "config.mode": "request",
            "config.x": YAML,
            "final_vars": "request",
            "log_level": "request",
            "executor.type": "request",
            "executor.max_workers": DEFAULT,
        },
        {"FP_PIPELINE__RUN__INPUTS__A": "3", "FP_PIPELINE__RUN__INPUTS__B": "4"},
        arguments={
            "inputs": {"a": {"new": True}},
            "config": {"mode": "fast"},
            "final_vars": ["got", "speed"],
            "log_level": "WARNING",
            "executor_cfg": {"type": "synchronous"},
        },
    ),
]


def write(folder: Path, case: Case) -> Path:
    place = "conf/case.yml" if case.name == "the file outside of pipelines/" else YAML
    texts = {place: case.yaml, "conf/project.yml": case.project, "pipelines/case.py": CODE}
    for path, text in texts.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = text.strip("\n").splitlines()
        indent = len(lines[0]) - len(lines[0].lstrip())
        file.write_text("\n".join(line[indent:] for line in lines) + "\n")
    return folder


def real(folder: Path, case: Case) -> dict[str, Any]:
    """What FlowerPower alone makes of it, on a copy: it rewrites some files."""
    copy = shutil.copytree(folder, folder.with_name("copy"))
    script = Path(__file__).with_name("real_flowerpower.py")
    arguments = [sys.executable, str(script), str(copy), "case", json.dumps(case.arguments)]
    env = {**os.environ, **case.env, "HAMILTON_TELEMETRY_ENABLED": "false"}
    for _ in range(2):
        process = subprocess.run(arguments, cwd=copy, env=env, capture_output=True, text=True, check=True, timeout=60)
        answer = json.loads(process.stdout.splitlines()[-1])
        # Rewriting the flat retry fields fails the first load, after it has written. What counts is what it makes of them.
        if not answer.get("error", "").startswith("SameFileError"):
            break
    return answer


def ours(folder: Path, case: Case) -> tuple[Any, dict[str, dict[str, Any]]]:
    arguments = dict(case.arguments)
    executor = arguments.pop("executor_cfg", None)
    with RuntimeProcess(folder, env=case.env) as runtime:
        run = runtime.run(
            "case",
            arguments.get("inputs"),
            config=arguments.get("config", {}),
            finalVars=arguments.get("final_vars"),
            logLevel=arguments.get("log_level"),
            executor=None if executor is None else {"type": executor["type"], "maxWorkers": None, "numCpus": None},
            hashKey=KEY.hex(),
        )
    assert run.outcome == "succeeded", (run.error, run.logs())
    context = run.of("run.resolved")[0]["data"]["context"]
    return run, {entry["path"]: entry for entry in context["resolved"]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_resolves_as_flowerpower_does(case: Case, tmp_path: Path) -> None:
    folder = write(tmp_path / "project", case)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    expected = real(folder, case)
    run, told = ours(folder, case)
    assert {name: run.value(name) for name in expected["result"]} == expected["result"]

    for path, value in expected["resolved"].items():
        entry = told.get(path)
        if entry is None:
            # Of adapters and params only what is written is told, of inputs only what some node takes.
            assert path.startswith(("adapter.", "project.adapter.")), path
            continue
        if entry["keyedHash"] is None:
            assert entry["value"] == value, path
        else:
            assert entry["value"] is None, path
            assert entry["keyedHash"] == keyed_hash(KEY, value), path
    for path, source in case.sources.items():
        text, stands = source if isinstance(source, tuple) else (source, None)
        assert (told[path]["source"], told[path]["reference"]) == (text, stands), path

    # And the project's files are as they were, whatever FlowerPower would have made of them.
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


FAILING = [
    Case("a needed variable that is missing", "run: {final_vars: [got], inputs: {a: '${X9:?say which}'}}\n", {}),
    Case("a value of the wrong type", "run: {final_vars: got, inputs: {a: 1}}\n", {}),
    Case("a log level that is a number", "run: {final_vars: [got], log_level: 5, inputs: {a: 1}}\n", {}),
]


@pytest.mark.parametrize("case", FAILING, ids=lambda case: case.name)
def test_refuses_what_flowerpower_refuses(case: Case, tmp_path: Path) -> None:
    folder = write(tmp_path / "project", case)
    expected = real(folder, case)["error"]
    with RuntimeProcess(folder) as runtime:
        run = runtime.run("case")
        described = runtime.describe("case")["case"]
    assert run.problems()[YAML]["message"] == expected
    assert described["status"] == "broken"


def test_keyed_hashes_compare_within_one_installation_and_tell_nothing(tmp_path: Path) -> None:
    case = reference("a secret", "${X}", {"X": "hush-hush"})
    folder = write(tmp_path / "project", case)
    hashes = []
    for key in (KEY, KEY, bytes(32)):
        with RuntimeProcess(folder, env=case.env) as runtime:
            run = runtime.run("case", hashKey=key.hex())
        context = run.of("run.resolved")[0]["data"]["context"]
        assert "hush-hush" not in json.dumps(context)
        hashes.append(next(entry["keyedHash"] for entry in context["resolved"] if entry["path"] == "inputs.a"))
    first, again, other = hashes
    assert first == again
    # Another key says so: the part before the colon names it.
    assert first.split(":")[0] != other.split(":")[0]
    assert first.split(":")[1] != other.split(":")[1]


def test_without_a_key_nothing_is_hashed(tmp_path: Path) -> None:
    case = reference("a secret", "${X}", {"X": "hush-hush"})
    with RuntimeProcess(write(tmp_path / "project", case), env=case.env) as runtime:
        context = runtime.run("case").of("run.resolved")[0]["data"]["context"]
    entry = next(entry for entry in context["resolved"] if entry["path"] == "inputs.a")
    assert entry == {"path": "inputs.a", "value": None, "reference": "${X}", "source": YAML, "keyedHash": None}
