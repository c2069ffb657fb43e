"""Adapters: what `with_adapter` names does what it says, or says that it does not; a project's own come from its files."""

import http.server
import importlib.util
import json
import socket
import threading
import time

import pytest
from runtime_process import RuntimeProcess

ONE = "def out(x: int) -> int:\n    return x + 1\n"
CHAIN = "def a(x: int) -> int:\n    return x\ndef b(a: int) -> int:\n    return a + 1\ndef out(b: int) -> int:\n    return b + 1\n"
ASYNC = CHAIN.replace("def b", "async def b")


def with_adapter(name, more=""):
    return f"run:\n  final_vars: [out]\n  inputs: {{x: 1}}\n  with_adapter: {{{name}: true}}\n{more}"


@pytest.mark.parametrize("code", [CHAIN, ASYNC], ids=["sync", "async"])
def test_a_progress_bar_is_one_line_of_the_log(shared, code):
    run = shared.run("bar", code, with_adapter("progressbar"))
    assert run.value("out") == 3
    [line] = run.logs()
    assert "100%" in line
    assert "bar -> Execution Complete!" in line
    assert "\r" not in line


def test_a_progress_bar_of_a_failed_run_stays_where_it_was(shared):
    run = shared.run("bar_fails", CHAIN.replace("a + 1", "a / 0"), with_adapter("progressbar"))
    assert run.error["type"] == "ZeroDivisionError"
    [line] = run.logs()
    assert "67%" in line or "33%" in line


def test_a_progress_bar_goes_with_a_process_pool(shared):
    code = """
        from hamilton.htypes import Collect, Parallelizable
        def item(x: int) -> Parallelizable[int]:
            yield from range(3)
        def twice(item: int) -> int:
            return item * 2
        def out(twice: Collect[int]) -> int:
            return sum(twice)
    """
    yaml = with_adapter("progressbar", "  executor: {type: processpool, max_workers: 2}\n")
    run = shared.run("bar_pool", code, yaml)
    assert run.value("out") == 6
    assert len(run.logs()) == 1


def test_future_runs_nodes_side_by_side(shared):
    code = """
        import threading
        meet = threading.Barrier(2, timeout=20)
        def left() -> int:
            return meet.wait() * 0 + 1
        def right() -> int:
            return meet.wait() * 0 + 2
        def out(left: int, right: int) -> int:
            print("here")
            return left + right
    """
    yaml = "run: {final_vars: [out], with_adapter: {future: true}, executor: {type: threadpool, max_workers: 3}}\n"
    run = shared.run("future", code, yaml)
    assert run.value("out") == 3
    assert run.log("here")["node"] == "out"
    assert len(run.of("node.succeeded")) == 3
    # Its threads ended with the run.
    assert run.ended["process"]["threads"] == []


def test_future_is_refused_with_branches(shared):
    code = """
        from hamilton.htypes import Collect, Parallelizable
        def item() -> Parallelizable[int]:
            yield 1
        def out(item: Collect[int]) -> int:
            return sum(item)
    """
    run = shared.run("future_branches", code, "run: {final_vars: [out], with_adapter: {future: true}}\n")
    assert "future" in run.problems()["pipeline"]["message"]


def test_ray_is_said_to_have_no_effect(shared):
    run = shared.run("ray_flag", ONE, with_adapter("ray"))
    assert run.value("out") == 2
    assert "run.executor.type: ray" in run.log("does nothing with it")["data"]["text"]


def test_a_missing_package_is_a_warning_with_its_install_command(shared):
    shared.project.pipeline("no_mlflow", ONE, with_adapter("mlflow"))
    described = shared.runtime.describe("no_mlflow")["no_mlflow"]
    [warning] = [w for w in described["warnings"] if "with_adapter" in w["path"]]
    assert warning["path"] == "conf/pipelines/no_mlflow.yml: run.with_adapter.mlflow"
    assert warning["suggestion"].endswith("-m pip install mlflow")
    assert described["execution"]["adapters"] == [
        {"name": "mlflow", "available": False, "async": False, "branches": True, "reuse": True}
    ]
    run = shared.runtime.run("no_mlflow")
    assert run.value("out") == 2
    assert "pip install mlflow" in run.log("mlflow is off for this run")["data"]["text"]


TRACKED = """
    run: {final_vars: [out], inputs: {x: 1}, with_adapter: {hamilton_tracker: true}}
    adapter: {hamilton_tracker: {project_id: 7, dag_name: tracked}}
"""


def project_with_server(shared, port):
    shared.project.write(
        "conf/project.yml",
        f"name: test\nadapter: {{hamilton_tracker: {{username: me, api_url: 'http://127.0.0.1:{port}', ui_url: 'http://ui'}}}}\n",
    )


@pytest.mark.parametrize("code", [CHAIN, ASYNC], ids=["sync", "async"])
def test_a_tracker_that_is_away_is_off_for_the_run(shared, code):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        project_with_server(shared, free.getsockname()[1])
    run = shared.run("away", code, TRACKED)
    assert run.value("out") == 3
    assert run.log("hamilton_tracker is off for this run")["data"]["level"] == "WARNING"
    assert run.ended["process"]["threads"] == []


def test_a_tracker_that_never_answers_holds_the_run_up_for_seconds_only(shared):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        project_with_server(shared, silent.getsockname()[1])
        began = time.monotonic()
        run = shared.run("silent", CHAIN, TRACKED)
        assert run.value("out") == 3
        assert time.monotonic() - began < 20
        assert "no answer in 5 s" in run.log("hamilton_tracker is off for this run")["data"]["text"]
        # Its thread still waits for the server, so this process gets no further run.
        assert run.ended["process"]["threads"] == ["telemetry-hamilton_tracker"]


class Tracker(http.server.BaseHTTPRequestHandler):
    """What Hamilton's tracker asks of its server."""

    calls: list[tuple[str, str, object]]
    fails_at: str | None

    def answer(self):
        size = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        self.calls.append((self.command, self.path.partition("?")[0], body))
        failed = self.fails_at is not None and self.fails_at in self.path
        self.send_response(500 if failed else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"id": 1}).encode())

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


@pytest.fixture
def tracking_server():
    class Handler(Tracker):
        calls = []  # noqa: RUF012
        fails_at = None

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server, Handler
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("code", [CHAIN, ASYNC], ids=["sync", "async"])
def test_a_tracker_gets_the_run_and_leaves_no_thread(shared, tracking_server, code):
    server, handler = tracking_server
    project_with_server(shared, server.server_address[1])
    run = shared.run("tracked", code, TRACKED)
    assert run.value("out") == 3
    assert run.ended["process"]["threads"] == []
    assert not [line for line in run.logs() if "is off" in line]
    [update] = [body for method, path, body in handler.calls if path.endswith("/dag_runs_bulk")]
    assert {task["node_template_name"]: task["status"] for task in update["task_updates"] if task["end_time"]} == {
        "a": "SUCCESS",
        "b": "SUCCESS",
        "out": "SUCCESS",
    }
    ended = [body for method, path, body in handler.calls if method == "PUT" and "/dag_runs/" in path]
    assert [body["run_status"] for body in ended] == ["SUCCESS"]


def test_a_tracker_whose_server_fails_in_mid_run_fails_nothing(shared, tracking_server):
    server, handler = tracking_server
    handler.fails_at = "/dag_runs"
    project_with_server(shared, server.server_address[1])
    run = shared.run("tracked_badly", CHAIN, TRACKED)
    assert run.value("out") == 3
    assert len([line for line in run.logs() if "hamilton_tracker is off" in line]) == 1
    assert run.ended["process"]["threads"] == []


@pytest.fixture
def plain_project(shared):
    shared.project.write("conf/project.yml", "name: test\n")
    yield shared.project
    shared.project.write("conf/project.yml", "name: test\n")


def test_a_projects_own_adapter_is_made_for_each_run(shared, plain_project):
    plain_project.write("adapters/__init__.py", "")
    alerts = """
        from hamilton.lifecycle import GraphExecutionHook, NodeExecutionHook

        class Alerts(NodeExecutionHook, GraphExecutionHook):
            def __init__(self):
                self.seen = []
            def run_before_node_execution(self, *, node_name, **_):
                self.seen.append(node_name)
            def run_after_node_execution(self, **_): ...
            def run_before_graph_execution(self, **_): ...
            def run_after_graph_execution(self, **_):
                print("alerts saw", self.seen)
    """
    plain_project.write("adapters/alerts.py", alerts)
    plain_project.write("conf/project.yml", 'name: test\njob_queue: {adapters: ["adapters.alerts:Alerts"]}\n')
    yaml = "run: {final_vars: [out], inputs: {x: 1}}\n"
    run = shared.run("alerting", CHAIN, yaml)
    assert run.value("out") == 3
    assert run.log("alerts saw ['a', 'b', 'out']")
    assert shared.runtime.run("alerting").log("alerts saw ['a', 'b', 'out']")
    # It is part of the pipeline's code.
    before = shared.runtime.describe("alerting")["alerting"]
    assert "adapters/alerts.py" in [module["file"] for module in before["modules"]]
    plain_project.write("adapters/alerts.py", alerts.replace("alerts saw", "now saw"))
    assert shared.runtime.describe("alerting")["alerting"]["codeHash"] != before["codeHash"]
    assert shared.runtime.run("alerting").log("now saw")
    # A pipeline's own list, empty or not, stands for itself.
    assert shared.run("alerting", CHAIN, f"{yaml}job_queue: {{adapters: []}}\n").logs() == []


def test_an_adapter_with_hooks_of_nodes_needs_async_hooks_for_an_async_pipeline(shared, plain_project):
    plain_project.write(
        "adapters/both.py",
        """
        from hamilton.lifecycle import GraphExecutionHook, NodeExecutionHook
        from hamilton.lifecycle.base import BasePreNodeExecuteAsync

        class Sync(NodeExecutionHook):
            def run_before_node_execution(self, **_): ...
            def run_after_node_execution(self, **_): ...

        class Graph(GraphExecutionHook):
            def run_before_graph_execution(self, **_): ...
            def run_after_graph_execution(self, **_): print("graph")

        class Async(BasePreNodeExecuteAsync):
            async def pre_node_execute(self, *, node_, **_): print("async", node_.name)
        """,
    )
    plain_project.write("adapters/__init__.py", "")
    yaml = 'run: {final_vars: [out], inputs: {x: 1}}\njob_queue: {adapters: ["adapters.both:%s"]}\n'
    run = shared.run("async_custom", ASYNC, yaml % "Sync")
    assert "adapters.both:Sync does not work with Hamilton's async driver" in run.problems()["pipeline"]["message"]
    assert shared.run("async_custom", ASYNC, yaml % "Graph").logs() == ["graph"]
    assert shared.run("async_custom", ASYNC, yaml % "Async").logs() == ["async a", "async b", "async out"]


@pytest.mark.parametrize(
    ("reference", "words", "suggestion"),
    [
        ("adapters.odd:Alert", "there is no class Alert in adapters.odd", "Alerts"),
        ("adapters.missing:Alerts", "there is no module adapters.missing", None),
        ("hamilton.lifecycle.default:PrintLn", "not the project's own", None),
        ("os:system", "not the project's own", None),
        ("adapters.odd:Plain", "is no adapter", None),
        ("adapters.odd:Wants", "wants url", None),
        ("adapters.odd:Half", "lacks run_after_node_execution", None),
        ("adapters.odd", 'expected a class of the project, like "adapters.alerts:Alerts"', None),
    ],
)
def test_an_adapter_that_cannot_be_used_is_refused_with_its_place(shared, plain_project, reference, words, suggestion):
    plain_project.write("adapters/__init__.py", "")
    plain_project.write(
        "adapters/odd.py",
        """
        from hamilton.lifecycle import GraphConstructionHook, NodeExecutionHook
        class Alerts(GraphConstructionHook):
            def run_after_graph_construction(self, **_): ...
        class Plain: ...
        class Wants(Alerts):
            def __init__(self, url): ...
        class Half(NodeExecutionHook):
            def run_before_node_execution(self, **_): ...
        """,
    )
    yaml = f'run: {{final_vars: [out], inputs: {{x: 1}}}}\njob_queue: {{adapters: ["{reference}"]}}\n'
    shared.project.pipeline("odd_adapter", ONE, yaml)
    described = shared.runtime.describe("odd_adapter")["odd_adapter"]
    assert described["status"] == "broken"
    [problem] = described["error"]["problems"]
    assert problem["path"] == "conf/pipelines/odd_adapter.yml: job_queue.adapters.0"
    assert words in problem["message"]
    assert problem["suggestion"] == suggestion
    assert words in shared.runtime.run("odd_adapter").error["problems"][0]["message"]


METHODS = """
    from hamilton.lifecycle import NodeExecutionHook, NodeExecutionMethod, ResultBuilder

    class Calls(NodeExecutionMethod):
        def run_to_execute_node(self, *, node_name, node_callable, node_kwargs, **_):
            print("calls", node_name)
            return node_callable(**node_kwargs)

    class CallsToo(Calls): ...

    class Sums(ResultBuilder):
        def build_result(self, **outputs): return sum(outputs.values())

    class Fails(NodeExecutionHook):
        def run_before_node_execution(self, **_): ...
        def run_after_node_execution(self, *, node_name, **_):
            if node_name == "b": raise LookupError("the hook's own")
"""


def own_adapters(plain_project, *names):
    plain_project.write("adapters/__init__.py", "")
    plain_project.write("adapters/methods.py", METHODS)
    listed = ", ".join(f'"adapters.methods:{name}"' for name in names)
    return f"job_queue: {{adapters: [{listed}]}}\n"


@pytest.mark.parametrize(
    ("names", "changes", "place", "words"),
    [
        (["Calls", "CallsToo"], "", 1, "adapters.methods:Calls has do_node_execute too"),
        (["Sums"], ", with_adapter: {future: true}", 0, "run.with_adapter.future has do_build_result too"),
    ],
)
def test_two_adapters_for_what_hamilton_takes_one_for_are_refused(shared, plain_project, names, changes, place, words):
    yaml = f"run: {{final_vars: [out], inputs: {{x: 1}}{changes}}}\n{own_adapters(plain_project, *names)}"
    shared.project.pipeline("two", ONE, yaml)
    [problem] = shared.runtime.describe("two")["two"]["error"]["problems"]
    assert problem["path"] == f"conf/pipelines/two.yml: job_queue.adapters.{place}"
    assert words in problem["message"]
    assert words in shared.runtime.run("two").error["message"]


def test_beside_an_adapter_that_calls_the_nodes_nothing_is_reused_which_is_said(shared, plain_project, tmp_path):
    own = own_adapters(plain_project, "Calls")
    yaml = f"run: {{final_vars: [out], inputs: {{x: 1}}}}\n{own.replace('{', '{reuse: resume, ')}"
    shared.project.pipeline("called", CHAIN, yaml)
    described = shared.runtime.describe("called")["called"]
    assert [adapter["reuse"] for adapter in described["execution"]["adapters"]] == [False]
    [warning] = described["warnings"]
    assert warning["path"] == "conf/pipelines/called.yml: job_queue: reuse"
    assert "the adapter adapters.methods:Calls calls the nodes itself" in warning["message"]
    limits = {"maxEntryBytes": 1_000_000, "minFreeBytes": 0}
    reuse = {"mode": "resume", "folder": str(tmp_path / "reuse"), "scopes": [], "recompute": [], **limits}
    for _ in range(2):
        run = shared.runtime.run("called", reuse=reuse)
        assert run.value("out") == 3
        assert [e["node"] for e in run.of("node.succeeded")] == ["a", "b", "out"]
        assert run.log("Nothing is reused in this run, nor stored: the adapter")["data"]["level"] == "WARNING"
        assert run.log("calls b")["node"] == "b"


def test_a_node_whose_end_an_adapter_keeps_from_being_told_has_failed(shared, plain_project):
    yaml = f"run: {{final_vars: [out], inputs: {{x: 1}}}}\n{own_adapters(plain_project, 'Fails')}"
    run = shared.run("hook_fails", CHAIN, yaml)
    assert (run.error["type"], run.error["message"], run.error["node"]) == ("LookupError", "the hook's own", "b")
    assert run.error["file"] == "adapters/methods.py"
    assert [e["node"] for e in run.of("node.succeeded")] == ["a"]
    assert [e["node"] for e in run.of("node.failed")] == ["b"]


def test_an_adapter_that_cannot_be_sent_to_a_process_pool_is_refused_before_any_node(shared, plain_project):
    locks = """
        import threading
        from hamilton.lifecycle import GraphExecutionHook
        class Locks(GraphExecutionHook):
            def __init__(self): self.lock = threading.Lock()
            def run_before_graph_execution(self, **_): ...
            def run_after_graph_execution(self, **_): ...
    """
    plain_project.write("adapters/__init__.py", "")
    plain_project.write("adapters/locks.py", locks)
    yaml = 'run: {final_vars: [total], executor: {type: %s}}\njob_queue: {adapters: ["adapters.locks:Locks"]}\n'
    code = """
        from hamilton.htypes import Collect, Parallelizable
        def item() -> Parallelizable[int]: yield from range(3)
        def same(item: int) -> int: return item
        def total(same: Collect[int]) -> int: return sum(same)
    """
    assert shared.run("locking", code, yaml % "threadpool").value("total") == 3
    run = shared.run("locking", code, yaml % "processpool")
    assert run.problems()["executor.type"]["suggestion"] == "threadpool"
    assert "adapters.locks:Locks cannot be sent to another process" in run.error["message"]
    assert run.of("node.started") == []


def test_keys_of_the_adapter_sections_that_flowerpower_ignores_are_warned_of(shared):
    shared.project.write("conf/project.yml", "name: test\nadapter: {hamilton_tracker: {api_ur: x}, mlflw: {}}\n")
    yaml = "run: {final_vars: [out], inputs: {x: 1}}\nadapter: {hamilton_tracker: {projekt_id: 7}}\n"
    shared.project.pipeline("typos", ONE, yaml)
    described = shared.runtime.describe("typos")
    assert [(warning["path"], warning["suggestion"]) for warning in described["project"]["warnings"]] == [
        ("conf/project.yml: adapter.mlflw", "mlflow"),
        ("conf/project.yml: adapter.hamilton_tracker.api_ur", "api_url"),
    ]
    [warning] = described["typos"]["warnings"]
    assert warning["path"] == "conf/pipelines/typos.yml: adapter.hamilton_tracker.projekt_id"
    shared.project.write("conf/project.yml", "name: test\n")


def test_an_adapter_whose_module_does_not_import_is_that_error(shared, plain_project):
    plain_project.write("broken_adapters.py", "import nowhere_to_be_found\n")
    yaml = 'run: {final_vars: [out], inputs: {x: 1}}\njob_queue: {adapters: ["broken_adapters:Alerts"]}\n'
    shared.project.pipeline("broken_adapter", ONE, yaml)
    described = shared.runtime.describe("broken_adapter")["broken_adapter"]
    assert described["error"]["type"] == "ModuleNotFoundError"
    assert "nowhere" in described["error"]["hint"]


needs_mlflow = pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="mlflow is not installed")


def mlflow_yaml(shared, uri):
    shared.project.write("conf/project.yml", f"name: test\nadapter: {{mlflow: {{tracking_uri: '{uri}'}}}}\n")
    return with_adapter("mlflow", "adapter: {mlflow: {experiment_name: tried}}\n")


@needs_mlflow
def test_mlflow_gets_the_run(project, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = f"file://{tmp_path}/runs"
    project.write("conf/project.yml", f"name: test\nadapter: {{mlflow: {{tracking_uri: '{uri}'}}}}\n")
    code = "import mlflow\ndef out(x: int) -> int:\n    mlflow.log_metric('of the pipeline', 5)\n    return x + 1\n"
    project.pipeline("ml", code, with_adapter("mlflow", "adapter: {mlflow: {experiment_name: tried}}\n"))
    with RuntimeProcess(project.folder) as runtime:
        run = runtime.run("ml")
    assert run.value("out") == 2
    assert not [line for line in run.logs() if "is off" in line]
    import mlflow

    client = mlflow.MlflowClient(uri)
    [found] = client.search_runs([client.get_experiment_by_name("tried").experiment_id])
    assert found.info.status == "FINISHED"
    assert found.data.metrics == {"out": 2.0, "of the pipeline": 5.0}


@needs_mlflow
def test_mlflow_that_is_away_is_off_for_the_run(shared):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run = shared.run("ml_away", ONE, mlflow_yaml(shared, f"http://127.0.0.1:{port}"))
    assert run.value("out") == 2
    assert run.log("mlflow is off for this run")
    assert run.ended["process"]["threads"] == []


@needs_mlflow
def test_mlflow_that_fails_in_mid_run_fails_nothing_and_leaves_no_active_run(shared, tracking_server):
    server, handler = tracking_server
    handler.fails_at = "runs/create"
    began = time.monotonic()
    run = shared.run("ml_fails", ONE, mlflow_yaml(shared, f"http://127.0.0.1:{server.server_address[1]}"))
    assert run.value("out") == 2
    assert time.monotonic() - began < 30
    assert len([line for line in run.logs() if "mlflow is off for this run" in line]) == 1
    code = "import mlflow\ndef out() -> bool:\n    return mlflow.active_run() is None\n"
    assert shared.run("ml_after", code, "run: {final_vars: [out]}\n").value("out") is True
