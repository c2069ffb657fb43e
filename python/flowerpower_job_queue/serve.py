"""The life of a runtime: ready, then one request after the other, until it is told to leave.

Requests are read by a thread, because a cancel arrives while a run is under way. Runs execute on the main thread, where
SIGINT can interrupt them.
"""

from __future__ import annotations

import gc
import os
import queue
import signal
import sys
import threading
import traceback
from contextlib import suppress

from . import extensions
from .protocol import Cancel, Channel, Describe, RequestError, Run, parse_request

EXIT_UNREADY = 3
EXIT_FAULT = 4


def serve(folder: str, requests_fd: int, events_fd: int) -> int:
    """Serves the project in `folder`. Returns the exit code."""
    channel = Channel(events_fd)
    extensions.switch_off_autoload()
    os.environ["HAMILTON_TELEMETRY_ENABLED"] = "false"

    from .environment import check_flowerpower

    unready = check_flowerpower()
    if unready is not None:
        channel.send("unready", code=unready.code, message=unready.message, hint=unready.hint)
        return EXIT_UNREADY
    for part in ("conf", "pipelines"):
        name = os.environ.get({"conf": "FP_CONFIG_DIR", "pipelines": "FP_PIPELINES_DIR"}[part], part)
        if not os.path.isdir(os.path.join(folder, name)):
            message = f"{folder} is not a FlowerPower project: it has no folder {name}/."
            channel.send("unready", code="PROJECT_BROKEN", message=message, hint=None)
            return EXIT_UNREADY
    try:
        return _Runtime(folder, requests_fd, channel).serve()
    except BaseException as error:
        channel.send("fault", message=f"{type(error).__name__}: {error}", traceback=traceback.format_exc())
        return EXIT_FAULT


class _Runtime:
    """One project, one run at a time."""

    def __init__(self, folder: str, requests_fd: int, channel: Channel) -> None:
        # Imported here, when FlowerPower is known to be there; all of it before the project's folders come onto the
        # path, where a pipeline named `statistics` would hide Python's own module.
        from . import cluster_executors, flowerpower_guard
        from .capture import Capture
        from .describe import answer_describe
        from .interrupts import interrupts
        from .project import Project
        from .run import PipelineRun

        extensions.load_imported()
        # From here on modules are the project's, whose folder stays as it is: no __pycache__ beside a pipeline.
        sys.dont_write_bytecode = True
        flowerpower_guard.install()
        cluster_executors.install()
        interrupts.install()
        os.chdir(folder)
        self._capture = Capture()
        self._capture.install()
        self._channel = channel
        self._project = Project(folder)
        self._answer_describe = answer_describe
        self._new_run = PipelineRun
        self._requests: queue.SimpleQueue[Describe | PipelineRun | None] = queue.SimpleQueue()
        self._requests_fd = requests_fd
        # From the moment its request is read: a cancel may follow before the run has begun.
        self._cancellable: dict[str, PipelineRun] = {}
        self._runs = 0

    def serve(self) -> int:
        from .environment import packages

        # A broken project.yml: `describe` and `run` say so, each time until it is mended.
        with suppress(Exception):
            _ = self._project.manager
        python = {"version": sys.version.split()[0], "executable": sys.executable}
        self._channel.send("ready", pid=os.getpid(), python=python, packages=packages())
        threading.Thread(target=self._read_requests, name="flowerpower-job-queue-requests", daemon=True).start()
        # What is there by now stays: a full collection that looked through it would stop some node for 60 ms.
        gc.freeze()
        while True:
            request = self._requests.get()
            if request is None:
                return 0
            if isinstance(request, Describe):
                self._answer_describe(request, self._project, self._channel)
            else:
                self._runs += 1
                request.execute(self._runs)
                del self._cancellable[request.events.run]

    def _read_requests(self) -> None:
        with os.fdopen(self._requests_fd, "rb", closefd=False) as stream:
            for line in stream:
                try:
                    request = parse_request(line)
                except RequestError as error:
                    self._channel.send("fault", message=f"broken request: {error}", traceback=traceback.format_exc())
                    os._exit(EXIT_FAULT)
                if isinstance(request, Cancel):
                    run = self._cancellable.get(request.run)
                    if run is not None:
                        run.cancel(request.reason)
                elif isinstance(request, Run):
                    run = self._new_run(request, self._project, self._channel, self._capture)
                    self._cancellable[request.id] = run
                    self._requests.put(run)
                elif isinstance(request, Describe):
                    self._requests.put(request)
                else:
                    self._requests.put(None)
                    return
        if self._channel.has_lost_its_reader():
            # The parent has died. Nobody will know what this run still does, and the job will run again elsewhere.
            _kill_own_group()
        self._requests.put(None)


def _kill_own_group() -> None:
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(EXIT_FAULT)
