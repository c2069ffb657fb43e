"""What a pipeline prints, logs and writes: each line once, at its node, within the caps."""

import os
import signal
import sys

from runtime_process import RuntimeProcess

YAML = "run: {final_vars: [out]}\n"


def test_a_print_comes_once_and_belongs_to_its_node(shared):
    code = """
        import sys
        print("imported")
        def first() -> int:
            print("to stdout")
            print("to stderr", file=sys.stderr)
            sys.stdout.buffer.write(b"bytes\\n")
            print("no newline", end="")
            return 1
        def out(first: int) -> int:
            print("second node")
            return first
    """
    run = shared.run("prints", code, YAML)
    assert run.log("imported")["node"] is None
    assert run.log("to stdout")["data"] == {"level": "INFO", "stream": "stdout", "logger": None, "text": "to stdout"}
    assert run.log("to stderr")["data"]["stream"] == "stderr"
    for text in ("to stdout", "to stderr", "bytes", "no newline"):
        assert run.log(text)["node"] == "first"
    assert run.log("second node")["node"] == "out"
    assert run.log("no newline")["data"]["text"] == "no newline"


def test_writes_below_python_come_once_without_a_node(shared):
    code = """
        import ctypes, os, subprocess, sys
        def out() -> int:
            os.write(1, b"by descriptor\\n")
            ctypes.CDLL(None).puts(b"by the C library")
            subprocess.run([sys.executable, "-c", "print('by a child process')"], check=True)
            os.write(2, b"without an end")
            return 1
    """
    run = shared.run("raw", code, YAML)
    for text in ("by descriptor", "by the C library", "by a child process", "without an end"):
        assert run.log(text)["node"] is None
    assert run.log("without an end")["data"]["stream"] == "stderr"


def test_every_line_comes_before_the_end(shared):
    code = "import os\ndef out(n: int) -> int:\n    os.write(1, b'%d\\n' % n)\n    return n\n"
    for number in range(20):
        assert shared.run("last", code, YAML, {"n": number}).logs() == [str(number)]


def test_logging_keeps_level_and_logger(shared):
    code = """
        import logging
        log = logging.getLogger("my.etl")
        def out() -> int:
            log.debug("not shown, as in a terminal")
            log.warning("watch %s", "out")
            try:
                1 / 0
            except ZeroDivisionError:
                log.exception("it broke")
            return 1
    """
    run = shared.run("logging", code, YAML)
    assert run.log("watch out")["data"] == {
        "level": "WARNING",
        "stream": "logging",
        "logger": "my.etl",
        "text": "watch out",
    }
    assert run.log("watch out")["node"] == "out"
    assert "ZeroDivisionError" in run.log("it broke")["data"]["text"]
    assert not any("not shown" in line for line in run.logs())


def test_logging_that_nobody_has_set_up_shows_info(shared):
    code = """
        import logging
        log = logging.getLogger("mine")
        def out() -> int:
            log.debug("too fine")
            log.info("told")
            return 1
    """
    run = shared.run("informs", code, YAML)
    assert run.log("told")["data"] == {"level": "INFO", "stream": "logging", "logger": "mine", "text": "told"}
    assert "too fine" not in run.logs()


def test_a_pipelines_own_logging_configuration_counts(project):
    code = """
        import logging
        logging.basicConfig(level=logging.INFO, format="[%(name)s] %(message)s")
        def out() -> int:
            logging.getLogger("etl").info("read 3 rows")
            return 1
    """
    project.pipeline("configured", code, YAML)
    with RuntimeProcess(project.folder) as runtime:
        for _ in range(2):  # The second run is warm: the module, and with it its handler, is still there.
            data = runtime.run("configured").log("read 3 rows")["data"]
            assert (data["text"], data["level"], data["stream"]) == ("[etl] read 3 rows", "INFO", "logging")


def test_loguru_is_captured_although_flowerpower_sets_it_up_at_each_run(shared):
    code = """
        from loguru import logger
        def out() -> int:
            logger.success("loaded {} rows", 3)
            try:
                1 / 0
            except ZeroDivisionError:
                logger.exception("broke")
            return 1
    """
    for _ in range(2):
        run = shared.run("loguru", code, YAML)
        data = run.log("loaded 3 rows")["data"]
        assert data == {"level": "INFO", "stream": "loguru", "logger": "pipelines.loguru", "text": "loaded 3 rows"}
        assert "ZeroDivisionError" in run.log("broke")["data"]["text"]
        assert not any("attempt 1/1" in line for line in run.logs())


def test_the_log_level_of_the_yaml_counts_for_logging_too(shared):
    code = """
        import logging
        def out() -> int:
            logging.debug("fine")
            logging.info("told")
            logging.warning("careful")
            return 1
    """
    quiet = shared.run("leveled", code, "run: {final_vars: [out], log_level: WARNING}\n")
    assert quiet.logs() == ["careful"]
    assert shared.runtime.run("leveled", logLevel="INFO").logs() == ["told", "careful"]
    loud = shared.run("leveled", code, "run: {final_vars: [out], log_level: DEBUG}\n")
    assert [line["data"]["text"] for line in loud.of("log") if line["node"] == "out"] == ["fine", "told", "careful"]


def test_the_log_level_of_a_run_is_not_the_next_ones(shared):
    code = "def out() -> int: return 1\n"
    loud = shared.run("loud", code, "run: {final_vars: [out], log_level: debug}\n")
    assert [line["data"]["level"] for line in loud.of("log")].count("DEBUG") > 0
    assert shared.run("quiet", code, YAML).logs() == []


def test_output_is_captured_again_after_a_run_that_has_closed_it(shared):
    closes = """
        import os
        def out(how: str) -> int:
            for descriptor in (1, 2):
                if how == "close": os.close(descriptor)
                else: os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
            return 1
    """
    echoes = """
        import subprocess
        def out() -> int: return subprocess.call("echo visible; echo too >&2", shell=True)
    """
    for how in ("close", "lead elsewhere"):
        assert shared.run("closes", closes, YAML, {"how": how}).value("out") == 1
        assert sorted(shared.run("echoes", echoes, YAML).logs()) == ["too", "visible"]


def test_a_line_of_another_thread_has_no_node(shared):
    code = """
        import threading
        def out() -> int:
            thread = threading.Thread(target=lambda: print("from a thread"))
            thread.start(); thread.join()
            return 1
    """
    assert shared.run("threads", code, YAML).log("from a thread")["node"] is None


def test_branches_in_threads_and_processes_keep_their_lines(shared):
    code = """
        from hamilton.htypes import Collect, Parallelizable
        def item() -> Parallelizable[int]: yield from range(3)
        def shout(item: int) -> int:
            print(f"item {item}")
            return item
        def out(shout: Collect[int]) -> int: return sum(shout)
    """
    for executor in ("threadpool", "processpool"):
        run = shared.run("shouts", code, YAML, executor={"type": executor, "maxWorkers": 3, "numCpus": None})
        for number in range(3):
            line = run.log(f"item {number}")
            assert (line["node"], line["branch"]) == ("shout", f"expand-item.{number}.block-item")


def test_progress_bars_collapse(shared):
    code = """
        import sys
        from tqdm import tqdm
        def out() -> int:
            for _ in tqdm(range(500), desc="reading", mininterval=0):
                pass
            sys.stderr.write("\\r1%\\r2%\\r100%\\n")
            print("dos line", end="\\r\\n")
            return 1
    """
    run = shared.run("bars", code, YAML)
    assert "100%" in run.log("reading")["data"]["text"]
    assert run.log("dos line")["data"]["text"] == "dos line"
    assert len(run.logs()) == 3


def test_a_flood_keeps_head_and_tail_and_says_what_is_missing(faults):
    run = faults.run("noisy", {"lines": 20_000})
    lines = run.logs()
    assert len(lines) == 10_000
    assert lines[0] == "line 0"
    assert lines[7_999] == "line 7999"
    assert lines[-3] == "line 19999"
    assert lines[-2] == "100 % done"
    assert lines[-1].startswith("xxx")
    assert len(lines[-1].encode()) <= 16 * 1024
    assert "more bytes" in lines[-1]
    [dropped] = run.of("log.dropped")
    assert dropped["data"]["lines"] == 20_002 - 10_000
    assert dropped["data"]["bytes"] > 0
    assert run.value("printed") == 20_000


def test_text_that_cannot_be_stored_is_replaced(shared):
    code = "def out() -> int:\n    print('nul \\x00 lone \\ud800 end')\n    return 1\n"
    assert shared.run("odd", code, YAML).logs() == ["nul � lone � end"]


def test_a_secret_from_the_environment_is_masked(project):
    code = """
        def out(url: str, password: str) -> int:
            print("connecting to", url)
            raise ValueError(f"cannot log in with {password}")
    """
    yaml = "run:\n  final_vars: [out]\n  inputs: {url: '${WAREHOUSE_URL}', password: $DB_PASSWORD}\n"
    project.pipeline("secrets", code, yaml)
    env = {"WAREHOUSE_URL": "postgres://ada:geheim77@db/x", "DB_PASSWORD": 'tr"icky\\secret'}
    with RuntimeProcess(project.folder, env=env) as runtime:
        described = runtime.describe("secrets")["secrets"]
        run = runtime.run("secrets")
        told = str(runtime.seen)
    assert "geheim77" not in told
    assert "icky" not in told
    assert run.log("connecting to")["data"]["text"] == "connecting to postgres://ada:*****@db/x"
    assert run.error["message"] == "cannot log in with *****"
    assert [i["default"]["reference"] for i in described["inputs"]] == ["${WAREHOUSE_URL}", "$DB_PASSWORD"]
    assert all(i["default"]["value"] is None and not i["required"] for i in described["inputs"])
    [failed] = run.of("node.failed")
    assert failed["data"]["inputs"]["url"]["preview"] is None


def test_output_outside_a_run_goes_to_the_parent(project):
    code = """
        import threading, time
        def out() -> int:
            threading.Thread(target=lambda: (time.sleep(0.3), print("too late"))).start()
            return 1
    """
    project.pipeline("late", code, YAML)
    with RuntimeProcess(project.folder) as runtime:
        run = runtime.run("late")
        assert run.ended["process"]["threads"]
        runtime.send(type="shutdown")
        assert runtime.wait_exit() == 0
        assert b"too late" in runtime.output["stdout"]


def test_a_process_that_is_killed_has_told_what_came_before(faults):
    with RuntimeProcess(faults.process.args[faults.process.args.index("--project") + 1]) as runtime:
        runtime.start("kills", {"signal_name": "SIGSEGV"})
        told = [m["body"] for m in runtime.rest() if m["type"] == "event"]
        assert [e["node"] for e in told if e["event"] == "node.started"] == ["before", "deadly"]
        assert runtime.wait_exit() == -signal.SIGSEGV


def test_the_python_of_the_tests_is_the_runtimes(faults):
    assert faults.seen[0]["python"]["executable"] == sys.executable
    assert faults.seen[0]["pid"] == faults.process.pid != os.getpid()
