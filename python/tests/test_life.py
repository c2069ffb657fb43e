"""How a runtime begins and ends."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from runtime_process import BOOT, EXAMPLES, PACKAGE, RuntimeProcess

FAULTS = EXAMPLES / "faults"


def unready(project, **options):
    runtime = RuntimeProcess(project, **options)
    message = runtime.next()
    assert message["type"] == "unready", message
    assert runtime.wait_exit() == 3
    assert runtime.output["stderr"] == b""
    return message


def test_says_ready_with_its_versions():
    started = time.monotonic()
    with RuntimeProcess(FAULTS) as runtime:
        ready = runtime.seen[0]
        assert ready["packages"]["flowerpower"].startswith("0.")
        assert ready["packages"]["hamilton"].startswith("1.")
        assert time.monotonic() - started < 10
        assert runtime.output == {"stdout": b"", "stderr": b""}


@pytest.mark.parametrize("end", ["shutdown", "end of stream"])
def test_leaves_when_it_is_told_to_after_the_run(end):
    with RuntimeProcess(FAULTS) as runtime:
        runtime.start("sleeps", {"seconds": 0.1})
        runtime.send(type="shutdown") if end == "shutdown" else runtime.close_requests()
        assert runtime.finish().outcome == "succeeded"
        assert runtime.wait_exit() == 0


@pytest.mark.parametrize(
    "line",
    [b"not json\n", b"[]\n", b'{"v":1}\n', b'{"v":2,"type":"shutdown"}\n', b'{"v":1,"type":"dance"}\n', b'{"v":1,"type":"cancel"}\n',
     b'{"v":1,"type":"cancel","run":"x","reason":1e400}\n', b"[" * 100_000 + b"\n", b'\xff\xfe\n'],
    ids=range(9),
)  # fmt: skip
def test_a_request_that_cannot_be_understood_is_a_fault(line):
    with RuntimeProcess(FAULTS) as runtime:
        runtime.send_line(line)
        assert runtime.rest()[-1]["type"] == "fault"
        assert runtime.wait_exit() == 4


def test_a_runtime_whose_parent_has_died_ends_at_once(tmp_path):
    marks = tmp_path / "marks"
    parent = """
import json, os, sys, time
sys.path[:0] = sys.argv[1].split(":")
from runtime_process import RuntimeProcess
runtime = RuntimeProcess(sys.argv[2]).__enter__()
runtime.start("sideeffect", {"file": sys.argv[3], "seconds": 60})
runtime.wait_for_event("node.started", "waited")
print(runtime.process.pid, flush=True)
time.sleep(60)
"""
    here = str(Path(__file__).parent)
    process = subprocess.Popen(
        [sys.executable, "-c", parent, here, str(FAULTS), str(marks)], stdout=subprocess.PIPE, text=True
    )
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 20
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_folder_that_is_no_project_is_told(tmp_path):
    message = unready(tmp_path)
    assert message["code"] == "PROJECT_BROKEN"
    assert "no folder conf/" in message["message"]


def test_a_python_without_flowerpower_is_told_with_the_command(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = str(tmp_path / "venv/bin/python")
    message = unready(FAULTS, python=python)
    assert message["code"] == "FLOWERPOWER_MISSING"
    assert message["hint"] == f"{python} -m pip install 'flowerpower>=0.35,<0.38'"


@pytest.fixture
def stub(tmp_path):
    """An environment without pip, into which a test puts the distributions that it wants to be seen."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    [site] = (tmp_path / "venv/lib").glob("python*/site-packages")

    def install(version: str, **modules: str) -> str:
        info = site / f"flowerpower-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: FlowerPower\nVersion: {version}\n")
        for name, code in modules.items():
            file = site / name.replace("__", "/")
            file.parent.mkdir(exist_ok=True)
            file.with_suffix(".py").write_text(code)
        return str(tmp_path / "venv/bin/python")

    return install


@pytest.mark.parametrize("version", ["0.1", "0.34.1", "0.38.0", "0.38.0rc1", "1.0"])
def test_a_flowerpower_outside_the_range_is_refused_with_the_command(stub, version):
    python = stub(version)
    message = unready(FAULTS, python=python)
    assert message["code"] == "FLOWERPOWER_UNSUPPORTED"
    assert f"FlowerPower {version} at {python}" in message["message"]
    assert "0.35 up to, but not including, 0.38" in message["message"]
    assert message["hint"] == f"{python} -m pip install 'flowerpower>=0.35,<0.38'"


@pytest.mark.parametrize("version", ["0.35.0", "0.37.9"])
def test_a_flowerpower_inside_the_range_that_does_not_import_is_told(stub, version):
    message = unready(FAULTS, python=stub(version, flowerpower="import broken\n"))
    assert message["code"] == "FLOWERPOWER_MISSING"
    assert "ModuleNotFoundError: No module named 'broken'" in message["message"]


def test_a_hamilton_that_is_too_old_is_refused_with_the_command(stub):
    python = stub("0.35.0", flowerpower="", hamilton__version="VERSION = (1, 86, 1)\n")
    message = unready(FAULTS, python=python)
    assert message["code"] == "FLOWERPOWER_UNSUPPORTED"
    assert message["message"] == f"Hamilton 1.86.1 at {python} is not supported; supported is 1.87 or newer."
    assert message["hint"] == f"{python} -m pip install 'sf-hamilton>=1.87'"


@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.10"])
def test_an_old_python_gets_an_answer_and_no_traceback(version):
    candidates = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    works = [str(p) for p in candidates if p and subprocess.run([p, "-c", ""], capture_output=True).returncode == 0]
    if not works:
        pytest.skip(f"no Python {version} here")
    message = unready(FAULTS, python=works[0])
    assert message["code"] == "PYTHON_UNSUPPORTED"
    assert message["message"].startswith(f"Python {version}")


def test_the_projects_files_do_not_hide_pythons(project):
    for name in ("json.py", "yaml.py", "queue.py", "flowerpower_guard.py", "pandas.py"):
        project.write(name, "raise RuntimeError('the wrong module')\n")
    project.pipeline("p", "def out() -> int: return 1\n", "run: {final_vars: [out]}\n")
    with RuntimeProcess(project.folder) as runtime:
        assert runtime.run("p").value("out") == 1


def test_the_group_of_a_killed_runtime_goes_with_it():
    with RuntimeProcess(FAULTS) as runtime:
        runtime.start("branches", {"seconds": 60}, executor={"type": "processpool", "maxWorkers": 2, "numCpus": None})
        runtime.wait_for_event("node.started", "waited")
        group = runtime.process.pid
        os.killpg(group, signal.SIGKILL)
        assert runtime.wait_exit() == -signal.SIGKILL
        deadline = time.monotonic() + 10
        while _group_is_alive(group) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not _group_is_alive(group)


def _group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_command_line_is_the_one_that_the_worker_uses():
    assert BOOT == (
        "import sys; sys.path.append(sys.argv.pop(1)); from flowerpower_job_queue.main import main; sys.exit(main())"
    )
    assert (Path(PACKAGE) / "flowerpower_job_queue/main.py").is_file()
