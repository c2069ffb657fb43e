"""The example pipelines run with FlowerPower alone and compute what they say."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., dict[str, Any]]

EXAMPLES = Path(__file__).parents[1]
PYTHON = Path(sys.executable)

# Runs a pipeline of the project in the working directory and writes its result as JSON.
# Each run has a process of its own, because two projects in one process collide.
RUN = """
import json, sys
from datetime import date
from flowerpower.flowerpower import FlowerPowerProject

name, options, answer = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
inputs = options.get("inputs", {})
if "day" in inputs:
    inputs["day"] = date.fromisoformat(inputs["day"])
result = FlowerPowerProject.load(".").pipeline_manager.run(name, **options)
with open(answer, "w") as file:
    json.dump(result, file, default=lambda frame: frame.to_dict("records"))
"""


def command(project: str, program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a program in the folder of an example project."""
    return subprocess.run(
        [program, *arguments],
        cwd=EXAMPLES / project,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Returns a function that runs a pipeline and returns its final variables."""

    def result_of(project: str, pipeline: str, **options: Any) -> dict[str, Any]:
        answer = tmp_path / "result.json"
        done = command(project, PYTHON, "-c", RUN, pipeline, json.dumps(options), str(answer))
        assert done.returncode == 0, done.stderr
        return json.loads(answer.read_text())

    return result_of


def error_of(project: str, pipeline: str, **options: Any) -> str:
    """What a run that must fail says."""
    done = command(project, PYTHON, "-c", RUN, pipeline, json.dumps(options), os.devnull)
    assert done.returncode != 0, done.stdout
    return done.stderr


@pytest.mark.parametrize(
    ("project", "arguments", "outputs"),
    [
        ("hello", ["bread"], "dough, shopping_list, baking_plan"),
        ("hello", ["greeting", "--inputs", "name=Ada"], "greeting"),
        ("flights", ["daily_report"], "validation_report, weather_effect, daily_report"),
    ],
)
def test_runs_by_flowerpowers_own_command(project: str, arguments: list[str], outputs: str) -> None:
    done = command(project, PYTHON.with_name("flowerpower"), "pipeline", "run", *arguments)
    assert done.returncode == 0, done.stderr
    assert f"Outputs: {outputs}" in done.stdout


def test_bread_takes_its_percentages_from_the_yaml(run: Run) -> None:
    assert run("hello", "bread") == {
        "dough": 1707.0,
        "shopping_list": {"flour": 1000.0, "water": 680.0, "salt": 20.0, "yeast": 7.0},
        "baking_plan": "Bake 2 x 853.5 g at 250 °C for 28 minutes.",
    }


def test_bread_in_a_fan_oven(run: Run) -> None:
    result = run("hello", "bread", inputs={"loaves": 3}, config={"oven": "fan"})
    assert result["baking_plan"] == "Bake 3 x 853.5 g at 220 °C for 31 minutes."


def test_greeting_needs_a_name() -> None:
    assert "Required input name not provided" in error_of("hello", "greeting")


def test_the_report_of_a_day(run: Run) -> None:
    result = run("flights", "daily_report")
    assert result["validation_report"] == {
        "is_valid": True,
        "problems": [],
        "rows": 29425,
        "rows_of_day": 1004,
        "cancelled": 940,
        "repeated": 0,
        "without_weather": 42,
        "rows_dropped": 982,
    }
    assert result["weather_effect"] == 40.63
    rows = result["daily_report"]
    assert len(rows) == 21
    assert rows[0]["airport"] == "ATL"
    unusual = {row["airport"] for row in rows if row["unusual"]}
    assert unusual >= {"ATL", "BNA", "SFO"}
    assert not unusual & {"CLT", "ORD", "DFW"}
    assert all(row["flights"] >= 15 for row in rows)
    lost = [row["median_delay"] - row["usual_delay"] for row in rows]
    assert lost == sorted(lost, reverse=True)


@pytest.mark.parametrize("day", ["2013-06-01", "2013-08-31"])
def test_the_first_and_the_last_day(run: Run, day: str) -> None:
    inputs = {"day": day, "min_flights": 30, "resamples": 200}
    result = run("flights", "daily_report", inputs=inputs)
    assert result["validation_report"]["is_valid"]
    assert result["daily_report"]


def test_threads_do_not_change_the_report(run: Run) -> None:
    options: dict[str, Any] = {"inputs": {"resamples": 500}}
    one = {"type": "threadpool", "max_workers": 1}
    many = {"type": "threadpool", "max_workers": 8}
    assert run("flights", "daily_report", executor_cfg=one, **options) == run(
        "flights", "daily_report", executor_cfg=many, **options
    )


def test_a_day_without_data_is_named() -> None:
    message = error_of("flights", "daily_report", inputs={"day": "2013-05-01"})
    assert "There is no data for 2013-05-01" in message


def test_too_high_a_minimum_is_named() -> None:
    message = error_of("flights", "daily_report", inputs={"min_flights": 500})
    assert "No airport had 500 flights on 2013-07-10" in message
