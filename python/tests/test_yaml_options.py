"""Options that a pipeline's YAML sets for its runs."""

ONE = "def out(x: int) -> int:\n    return x + 1\n"


def test_additional_modules_bring_nodes_in_flowerpowers_order(shared):
    shared.project.pipeline(
        "parts.more", "def extra(x: int) -> int:\n    return x * 100\n", "run: {final_vars: [extra]}\n"
    )
    shared.project.write("shared_nodes.py", "def other(x: int) -> int:\n    return x * 1000\n")
    code = "def out(extra: int, other: int) -> int:\n    return extra + other\n"
    yaml = "run: {final_vars: [out], inputs: {x: 2}, additional_modules: [pipelines.parts.more, shared_nodes]}\n"
    run = shared.run("with_modules", code, yaml)
    assert run.value("out") == 2200
    assert run.events[0]["data"]["path"] == ["extra", "other", "out"]
    # A change of one of them is a change of the pipeline.
    shared.project.write("shared_nodes.py", "def other(x: int) -> int:\n    return x\n")
    assert shared.runtime.run("with_modules").value("out") == 202


def test_a_missing_additional_module_is_that_error(shared):
    shared.project.pipeline("without_module", ONE, "run: {final_vars: [out], additional_modules: [nowhere_at_all]}\n")
    described = shared.runtime.describe("without_module")["without_module"]
    assert described["status"] == "broken"
    assert described["error"]["type"] == "ModuleNotFoundError"
    assert "nowhere_at_all" in described["error"]["message"]


def test_the_log_level_of_the_yaml_and_that_of_the_request(shared):
    code = """
        from loguru import logger
        def out(x: int) -> int:
            logger.debug("in detail")
            logger.info("in passing")
            return x
    """
    yaml = "run: {final_vars: [out], inputs: {x: 1}, log_level: {LEVEL}}\n"

    def lines(run):
        return [line for line in run.logs() if line.startswith("in ")]

    assert lines(shared.run("levels", code, yaml.replace("{LEVEL}", "DEBUG"))) == ["in detail", "in passing"]
    assert lines(shared.run("levels", code, yaml.replace("{LEVEL}", "WARNING"))) == []
    assert lines(shared.runtime.run("levels", logLevel="info")) == ["in passing"]


def test_reload_imports_the_modules_anew_for_each_run(shared):
    code = "seen = []\ndef out() -> int:\n    seen.append(1)\n    return len(seen)\n"
    warm = "run: {final_vars: [out]}\n"
    assert [shared.run("remembers", code, warm).value("out") for _ in range(3)] == [1, 2, 3]
    anew = "run: {final_vars: [out], reload: true}\n"
    assert [shared.run("forgets", code, anew).value("out") for _ in range(3)] == [1, 1, 1]


def test_cache_is_a_warning_that_says_what_to_use(shared):
    shared.project.pipeline("cached", ONE, "run: {final_vars: [out], inputs: {x: 1}, cache: true}\n")
    [warning] = shared.runtime.describe("cached")["cached"]["warnings"]
    assert warning["path"] == "conf/pipelines/cached.yml: run.cache"
    assert "reuse" in warning["message"]
    assert shared.runtime.run("cached").value("out") == 2


def test_an_executor_of_an_async_pipelines_yaml_is_said_to_have_no_effect(shared):
    code = "async def out(x: int) -> int:\n    return x\n"
    yaml = "run: {final_vars: [out], inputs: {x: 1}, executor: {type: threadpool}}\n"
    shared.project.pipeline("async_pool", code, yaml)
    [warning] = shared.runtime.describe("async_pool")["async_pool"]["warnings"]
    assert "has no effect" in warning["message"]
    assert shared.runtime.run("async_pool").value("out") == 1
