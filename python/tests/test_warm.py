"""A warm process looks new to each run, and always runs current code."""

import os
import time

from runtime_process import RuntimeProcess

from flowerpower_job_queue.source import Sources

YAML = "run: {final_vars: [out]}\n"


def test_a_run_knows_its_job_and_the_project_is_its_folder(shared):
    code = """
        import os, sys
        def out() -> dict:
            return {k: v for k, v in os.environ.items() if k.startswith("FLOWERPOWER_")} | {
                "cwd": os.getcwd(), "stdin": sys.stdin.read(), "tty": sys.stdout.isatty()}
    """
    value = shared.run("job", code, YAML).value("out")
    assert value == {
        "FLOWERPOWER_JOB_ID": "job_1",
        "FLOWERPOWER_ATTEMPT": "1",
        "FLOWERPOWER_PROJECT": "test",
        "FLOWERPOWER_SCHEDULED_AT": "2026-11-23T06:00:00.000Z",
        "FLOWERPOWER_RUN_DIR": value["FLOWERPOWER_RUN_DIR"],
        "cwd": os.path.realpath(shared.project.folder),
        "stdin": "",
        "tty": False,
    }
    assert os.path.isdir(value["FLOWERPOWER_RUN_DIR"])


def test_what_a_run_changes_is_put_back(shared):
    code = """
        import logging, os, random, sys, warnings
        import numpy as np
        def out(spoil: bool) -> dict:
            if spoil:
                os.chdir("/"); os.environ["SPOILT"] = "1"; os.environ.pop("PATH")
                sys.path.insert(0, "/nowhere"); warnings.simplefilter("error")
                logging.getLogger().addHandler(logging.StreamHandler()); logging.getLogger().setLevel("DEBUG")
                logging.getLogger("new.one").addHandler(logging.StreamHandler()); logging.disable(50)
                sys.stdout = open(os.devnull, "w"); sys.setrecursionlimit(5000)
                random.seed(1); np.random.seed(1)
            return {
                "cwd": os.getcwd(), "spoilt": "SPOILT" in os.environ, "path": "PATH" in os.environ,
                "sys.path": "/nowhere" in sys.path, "handlers": len(logging.getLogger().handlers),
                "level": logging.getLogger().level, "new": len(logging.getLogger("new.one").handlers),
                "disabled": logging.root.manager.disable, "limit": sys.getrecursionlimit(),
                "warnings": len(warnings.filters), "stdout": type(sys.stdout).__name__,
            }
        def numbers(out: dict) -> list:
            return [random.random(), float(np.random.random())]
    """
    yaml = "run: {final_vars: [out, numbers]}\n"
    fresh = shared.run("spoils", code, yaml, {"spoil": False}).value("out")
    spoilt = shared.run("spoils", code, yaml, {"spoil": True})
    after = shared.run("spoils", code, yaml, {"spoil": False})
    assert spoilt.value("out") != fresh
    assert after.value("out") == fresh
    again = shared.run("spoils", code, yaml, {"spoil": True})
    assert again.value("numbers") == spoilt.value("numbers")
    assert len({tuple(shared.run("spoils", code, yaml, {"spoil": False}).value("numbers")) for _ in range(3)}) == 3


def test_a_generator_that_a_pipeline_puts_in_the_place_of_numpys_is_seeded_anew_too(shared):
    code = """
        import numpy as np
        np.random.set_bit_generator(np.random.PCG64(1))
        def out() -> float: return float(np.random.random())
    """
    assert len({shared.run("generator", code, YAML).value("out") for _ in range(3)}) == 3


def test_forked_processes_get_other_numbers_in_each_run(shared):
    code = """
        import os, random
        import numpy as np
        def out() -> str:
            reader, writer = os.pipe()
            if os.fork() == 0:
                os.write(writer, f"{random.random()} {np.random.random()}".encode())
                os._exit(0)
            os.wait()
            return os.read(reader, 100).decode()
    """
    numbers = [shared.run("forks", code, YAML).value("out").split() for _ in range(3)]
    assert len({number for pair in numbers for number in pair}) == 6


def test_what_a_run_changes_in_python_itself_is_put_back(shared):
    code = """
        import decimal, locale, os, signal, socket, sys, threading, time, warnings
        import numpy as np
        def _ignore(*_): pass
        def out(spoil: bool) -> dict:
            if spoil:
                signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGINT, _ignore)
                sys.excepthook = threading.excepthook = warnings.showwarning = None
                sys.settrace(_ignore); sys.setprofile(_ignore); sys.argv.append("--spoilt")
                locale.setlocale(locale.LC_ALL, "C"); os.umask(0o007); socket.setdefaulttimeout(3)
                decimal.getcontext().prec = 3; np.seterr(all="raise")
                os.environ["TZ"] = "Asia/Tokyo"; time.tzset()
            umask = os.umask(0); os.umask(umask)
            return {
                "signals": [str(signal.getsignal(each)) for each in (signal.SIGTERM, signal.SIGINT)],
                "hooks": [hook is None for hook in (sys.excepthook, threading.excepthook, warnings.showwarning)],
                "tracing": [sys.gettrace() is None, sys.getprofile() is None], "arguments": sys.argv,
                "locale": locale.setlocale(locale.LC_ALL), "umask": umask, "timeout": socket.getdefaulttimeout(),
                "third": str(decimal.Decimal(1) / 3), "numpy": np.geterr(), "zone": time.strftime("%Z"),
            }
    """
    fresh = shared.run("twisted", code, YAML, {"spoil": False}).value("out")
    assert fresh["arguments"] == ["flowerpower"]
    spoilt = shared.run("twisted", code, YAML, {"spoil": True}).value("out")
    assert [key for key in fresh if fresh[key] == spoilt[key]] == []
    assert shared.run("twisted", code, YAML, {"spoil": False}).value("out") == fresh


def test_quit_in_a_node_leaves_standard_input_to_the_next_run(shared):
    assert shared.run("quits", "def out() -> int:\n    quit()\n", YAML).error["type"] == "SystemExit"
    assert shared.run("reads", "import sys\ndef out() -> str: return sys.stdin.read()\n", YAML).value("out") == ""


def test_a_pipeline_that_reads_its_command_line_finds_no_options(shared):
    code = """
        import argparse
        def out() -> int:
            parser = argparse.ArgumentParser()
            parser.add_argument("--count", type=int, default=5)
            return parser.parse_args().count
    """
    assert shared.run("argued", code, YAML).value("out") == 5


def test_changed_code_runs_at_once_even_within_the_same_second_and_size(shared):
    for number in (1, 2, 3, 1):
        run = shared.run("edited", f"def out() -> int: return {number}\n", YAML)
        assert run.value("out") == number


def test_a_changed_helper_runs_at_once(shared):
    code = "from pipelines.helper import factor\ndef out() -> int: return factor()\n"
    hashes = set()
    for number in (1, 2):
        shared.project.write(
            "pipelines/helper.py", f"from shop.prices import PRICE\ndef factor(): return PRICE * {number}\n"
        )
        for price in (5, 6):
            shared.project.write("shop/prices.py", f"PRICE = {price}\n")
            run = shared.run("helped", code, YAML)
            assert run.value("out") == number * price
            resolved = run.events[0]["data"]
            hashes.add(resolved["codeHash"])
            assert [m["file"] for m in resolved["context"]["modules"]] == [
                "pipelines/helped.py",
                "pipelines/helper.py",
                "shop/prices.py",
            ]
    assert len(hashes) == 4


def test_a_file_whose_time_was_put_back_is_read_again(shared):
    file = shared.project.folder / "pipelines" / "put_back.py"
    for number in (1, 2, 3):
        shared.project.pipeline("put_back", f"def out() -> int: return {number}\n", YAML)
        os.utime(file, (1_700_000_000, 1_700_000_000))
        assert shared.runtime.run("put_back").value("out") == number


def test_the_hash_of_a_file_is_kept_only_while_nothing_about_it_has_changed(tmp_path, monkeypatch):
    file, sources = tmp_path / "code.py", Sources()
    file.write_text("a = 1")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    # Older than any clock's tick, so that its hash is kept.
    written = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: written + 10_000_000_000)
    first = sources.sha256(str(file))
    assert sources.sha256(str(file)) == first
    with file.open("r+") as same_inode:
        same_inode.write("a = 2")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    assert sources.sha256(str(file)) != first


def test_a_changed_module_behind_a_link_runs_at_once(project):
    (project.folder / "pipelines").rename(project.folder.parent / "elsewhere")
    (project.folder / "pipelines").symlink_to("../elsewhere")
    with RuntimeProcess(project.folder) as runtime:
        for number in (1, 2):
            project.pipeline("linked", f"def out() -> int: return {number}\n", YAML)
            assert runtime.run("linked").value("out") == number
        (node,) = runtime.describe("linked")["linked"]["graph"]["nodes"]
        assert node["file"] == "pipelines/linked.py"


def test_a_changed_library_from_another_source_folder_runs_at_once(project):
    library = project.folder.parent / "libraries"
    library.mkdir()
    project.pipeline("uses", "import shop_rules\ndef out() -> int: return shop_rules.NUMBER\n", YAML)
    with RuntimeProcess(project.folder, env={"PYTHONPATH": str(library)}) as runtime:
        for number in (1, 22):
            (library / "shop_rules.py").write_text(f"NUMBER = {number}\n")
            assert runtime.run("uses").value("out") == number


def test_changed_params_run_at_once(shared):
    code = """
        from pathlib import Path
        from flowerpower.cfg import Config
        from hamilton.function_modifiers import parameterize
        PARAMS = Config.load(Path(__file__).parents[1], pipeline_name="params").pipeline.h_params
        @parameterize(**PARAMS["out"])
        def out(n: int) -> int: return n
    """
    for number in (1, 2):
        yaml = f"params: {{out: {{n: {number}}}}}\nrun: {{final_vars: [out]}}\n"
        assert shared.run("params", code, yaml).value("out") == number


def test_a_module_without_changes_stays_imported(shared):
    code = "import itertools\n_count = itertools.count(1)\ndef out() -> int: return next(_count)\n"
    assert [shared.run("counted", code, YAML).value("out") for _ in range(3)] == [1, 2, 3]


def test_additional_modules_are_part_of_the_pipeline(shared):
    shared.project.write("pipelines/extra.py", "def extra() -> int: return 40\n")
    yaml = "run: {final_vars: [out], additional_modules: [extra]}\n"
    assert shared.run("more", "def out(extra: int) -> int: return extra + 2\n", yaml).value("out") == 42
    shared.project.write("pipelines/extra.py", "def extra() -> int: return 41\n")
    assert shared.runtime.run("more").value("out") == 43


def test_names_with_hyphens_and_folders(shared):
    code = "def out() -> int: return 1\n"
    assert shared.run("daily-report", code, "name: daily-report\n" + YAML).value("out") == 1
    assert shared.run("reports.weekly", code, YAML).value("out") == 1
    described = shared.runtime.describe()
    assert described["daily-report"]["status"] == described["reports.weekly"]["status"] == "ok"


def test_a_pipeline_may_have_the_name_of_a_standard_module(shared):
    for name in ("statistics", "random", "json", "secrets"):
        assert shared.run(name, "def out() -> int: return 1\n", YAML).value("out") == 1
    assert shared.run("after", "def out() -> float: return 0.5\n", YAML).value("out") == 0.5
    for name in ("statistics", "random", "json", "secrets"):
        (shared.project.folder / "pipelines" / f"{name}.py").unlink()


def test_nothing_is_written_into_the_project(project):
    yaml = "# a comment that must stay\nrun:\n  final_vars: [out]\n  max_retries: 5\n  retry_delay: 2\n"
    code = """
        from pathlib import Path
        from flowerpower.cfg import Config
        Config.load(Path(__file__).parents[1], pipeline_name="legacy")
        def out() -> int: return 1
    """
    project.write("conf/legacy.yml", yaml)
    project.write("pipelines/legacy.py", code)
    (project.folder / "conf/pipelines").rmdir()
    before = {path: path.stat().st_mtime_ns for path in project.folder.rglob("*")}
    with RuntimeProcess(project.folder) as runtime:
        described = runtime.describe()["legacy"]
        run = runtime.run("legacy")
    assert run.value("out") == 1
    assert described["retry"]["maxRetries"] == run.ended["retry"]["maxRetries"] == 5
    assert {path: path.stat().st_mtime_ns for path in project.folder.rglob("*")} == before


def test_threads_left_behind_are_told(shared):
    code = """
        import threading
        _stop = threading.Event()
        def out(left: bool) -> int:
            if left:
                threading.Thread(target=_stop.wait, name="left-behind").start()
            else:
                _stop.set()
            return 1
    """
    assert shared.run("leaves_thread", code, YAML, {"left": True}).ended["process"]["threads"] == ["left-behind"]
    assert shared.run("leaves_thread", code, YAML, {"left": False}).ended["process"]["threads"] == []


def test_an_alarm_that_a_run_has_left_behind_does_not_end_the_next_one(shared):
    code = """
        import signal, time
        def out(leave: bool) -> str:
            if leave:
                signal.setitimer(signal.ITIMER_REAL, 0.3)
                raise ValueError("before the alarm was switched off")
            time.sleep(0.6)
            return "lives"
    """
    shared.run("alarms", code, YAML, {"leave": True})
    assert shared.run("alarms", code, YAML, {"leave": False}).value("out") == "lives"


def test_an_edited_pipeline_does_not_import_installed_libraries_again(shared, tmp_path):
    library = tmp_path / "target"
    (library / "lib_of_ours").mkdir(parents=True)
    (library / "lib_of_ours" / "__init__.py").write_text("import random\nTOKEN = random.random()\n")
    (library / "lib_of_ours-1.0.dist-info").mkdir()
    code = f"""
        import sys
        sys.path.insert(0, {str(library)!r})
        import lib_of_ours
        def out() -> float: return lib_of_ours.TOKEN
    """
    first = shared.run("library", code, YAML).value("out")
    edited = code.replace("return lib_of_ours.TOKEN", "return lib_of_ours.TOKEN + 1")
    assert shared.run("library", edited, YAML).value("out") == first + 1
