"""A runtime as a worker starts it: a real process, two descriptors, its own session."""

from __future__ import annotations

import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

PACKAGE = str(Path(__file__).resolve().parents[1])
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BOOT = "import sys; sys.path.append(sys.argv.pop(1)); from flowerpower_job_queue.main import main; sys.exit(main())"
TIMEOUT_S = 30


class RuntimeProcess:
    def __init__(self, project: Path | str, python: str = sys.executable, env: dict[str, str] | None = None):
        requests_read, requests_write = os.pipe()
        events_read, events_write = os.pipe()
        arguments = ["--project", str(project), "--requests-fd", str(requests_read), "--events-fd", str(events_write)]
        self.process = subprocess.Popen(
            [python, "-c", BOOT, PACKAGE, *arguments],
            cwd=project,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(requests_read, events_write),
            start_new_session=True,
        )
        os.close(requests_read)
        os.close(events_write)
        self._requests = os.fdopen(requests_write, "wb", buffering=0)
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._run_dir = tempfile.TemporaryDirectory()
        self._ids = itertools.count(1)
        self.seen: list[dict[str, Any]] = []
        self.output = {"stdout": b"", "stderr": b""}
        self._threads = [threading.Thread(target=self._read, args=(events_read,), daemon=True)]
        for name in self.output:
            self._threads.append(threading.Thread(target=self._drain, args=(name,), daemon=True))
        for thread in self._threads:
            thread.start()

    def _read(self, fd: int) -> None:
        with os.fdopen(fd, "rb") as stream:
            for line in stream:
                self._messages.put(json.loads(line))
        self._messages.put(None)

    def _drain(self, name: str) -> None:
        stream = getattr(self.process, name)
        while chunk := stream.read1(65536):
            self.output[name] += chunk

    def send(self, **message: Any) -> None:
        self.send_line(json.dumps({"v": 1, **message}).encode() + b"\n")

    def send_line(self, line: bytes) -> None:
        self._requests.write(line)

    def close_requests(self) -> None:
        self._requests.close()

    def next(self) -> dict[str, Any]:
        message = self._messages.get(timeout=TIMEOUT_S)
        assert message is not None, f"the runtime has ended: {self.output['stderr'].decode()}"
        self.seen.append(message)
        return message

    def wait_for(self, kind: str) -> dict[str, Any]:
        while True:
            message = self.next()
            if message["type"] == kind:
                return message
            assert message["type"] != "fault", message

    def wait_for_event(self, name: str, node: str | None = None) -> dict[str, Any]:
        while True:
            message = self.next()
            assert message["type"] == "event", message
            body = message["body"]
            if body["event"] == name and (node is None or body.get("node") == node):
                return body

    def start(self, pipeline: str, inputs: dict[str, Any] | None = None, **changes: Any) -> str:
        run = f"run-{next(self._ids)}"
        request = {
            "type": "run",
            "id": run,
            "job": {
                "id": "job_1",
                "attempt": 1,
                "project": "test",
                "scheduledAt": "2026-11-23T06:00:00.000Z",
                "runDir": self._run_dir.name,
            },
            "pipeline": pipeline,
            "inputs": inputs or {},
            "finalVars": None,
            "config": {},
            "executor": None,
            "logLevel": None,
            "results": "full",
            "maxInlineBytes": 65536,
        }
        self.send(**{**request, **changes})
        return run

    def finish(self) -> Finished:
        """Reads until the run has ended."""
        first = len(self.seen)
        ended = self.wait_for("ended")
        messages = self.seen[first:-1]
        return Finished(ended, [m for m in self.seen if m["type"] == "event" and m["run"] == ended["run"]], messages)

    def run(self, pipeline: str, inputs: dict[str, Any] | None = None, **changes: Any) -> Finished:
        self.start(pipeline, inputs, **changes)
        return self.finish()

    def describe(self, *pipelines: str, config: dict[str, Any] | None = None) -> dict[str, Any]:
        """{"project": …, name: pipeline …}"""
        self.send(type="describe", id="d", pipelines=list(pipelines) or None, config=config)
        described = {"project": self.wait_for("project")["project"]}
        while True:
            message = self.next()
            if message["type"] == "described":
                return described
            if message["type"] == "pipeline":
                described[message["pipeline"]["name"]] = message["pipeline"]

    def wait_exit(self) -> int:
        code = self.process.wait(TIMEOUT_S)
        for thread in self._threads:
            thread.join(TIMEOUT_S)
        return code

    def rest(self) -> list[dict[str, Any]]:
        """Everything up to the end of the process."""
        while (message := self._messages.get(timeout=TIMEOUT_S)) is not None:
            self.seen.append(message)
        return self.seen

    def __enter__(self) -> RuntimeProcess:
        self.wait_for("ready")
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(TIMEOUT_S)
        self._requests.close()
        self._run_dir.cleanup()


class Finished:
    def __init__(self, ended: dict[str, Any], events: list[dict[str, Any]], messages: list[dict[str, Any]]):
        self.ended = ended
        self.outcome = ended["outcome"]
        self.error = ended["error"]
        self.messages = events
        self.events = [message["body"] for message in events]

    def value(self, name: str) -> Any:
        assert self.outcome == "succeeded", self.error
        return self.ended["results"][name]["value"]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [body for body in self.events if body["event"] == event]

    def logs(self) -> list[str]:
        return [body["data"]["text"] for body in self.of("log")]

    def log(self, text: str) -> dict[str, Any]:
        found = [body for body in self.of("log") if text in body["data"]["text"]]
        assert len(found) == 1, self.logs()
        return found[0]

    def problems(self) -> dict[str, Any]:
        assert self.error is not None
        assert self.error["kind"] == "INVALID", self.error
        return {problem["path"]: problem for problem in self.error["problems"]}
