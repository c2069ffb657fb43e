"""The adapters of a run: those that FlowerPower's `with_adapter` names, and the project's own.

FlowerPower 0.35 to 0.37 accepts `with_adapter` and does nothing of it: it looks for the tracker and for MLflow in
modules that are no more, and reads `progressbar`, `future` and `ray` nowhere. Here they do what they say, or it is said
that they do not.
"""

from __future__ import annotations

import importlib.util
import os
import pickle
import socket
import urllib.parse
from contextlib import suppress
from typing import Any

from .custom_adapters import CustomAdapter
from .environment import install_command
from .errors import InvalidRun, Problem, message_of, problem
from .telemetry import AsyncReporter, Line, Reporter

# The module that each of them needs, and the distribution that brings it.
_NEEDS = {
    "hamilton_tracker": ("hamilton_sdk", "sf-hamilton-sdk"),
    "mlflow": ("mlflow", "mlflow"),
    "progressbar": ("tqdm", "tqdm"),
    "future": (None, None),
    "ray": (None, None),
}
# Those that Hamilton's async driver cannot use: MLflow's active run belongs to a thread, and a future is no task.
_NOT_ASYNC = ("mlflow", "future")
# What the futures' adapter does in Hamilton's place.
_OF_FUTURE = ("do_build_result", "do_remote_execute")
_NO_EFFECT = "FlowerPower accepts this and does nothing with it; branches run on Ray with run.executor.type: ray"
_CONNECT_TIMEOUT_S = 1.0


def asked_for(run_config: Any) -> list[str]:
    """The names that `with_adapter` of YAML and environment turns on."""
    return [name for name in _NEEDS if getattr(run_config.with_adapter, name, False)]


def methods_of_named(run_config: Any) -> dict[str, str]:
    """Methods that Hamilton takes from one adapter only, with the one of `with_adapter` that has them."""
    return dict.fromkeys(_OF_FUTURE, "run.with_adapter.future") if "future" in asked_for(run_config) else {}


def missing_package(name: str) -> str | None:
    """The command that installs what an adapter needs, None when it is there."""
    module, distribution = _NEEDS[name]
    if module is None or distribution is None or importlib.util.find_spec(module) is not None:
        return None
    return install_command(distribution)


def describe_adapters(run_config: Any, custom: list[CustomAdapter]) -> list[dict[str, Any]]:
    """What a plan needs to know of each."""
    named = [
        {
            "name": name,
            "available": missing_package(name) is None,
            "async": name not in _NOT_ASYNC,
            "branches": name != "future",
            "reuse": True,
        }
        for name in asked_for(run_config)
        if name != "ray"
    ]
    return named + [
        {
            "name": each.reference,
            "available": True,
            "async": each.is_async,
            "branches": True,
            "reuse": not each.executes_nodes,
        }
        for each in custom
    ]


def adapter_warnings(run_config: Any, path: str | None) -> list[Problem]:
    """What will not be done of what is asked for."""
    warnings: list[Problem] = []
    for name in asked_for(run_config):
        place = f"{path}: run.with_adapter.{name}"
        install = missing_package(name)
        if name == "ray":
            warnings.append(problem(place, _NO_EFFECT))
        elif install is not None:
            message = f"is off: {_NEEDS[name][1]} is not installed; install it with: {install}"
            warnings.append(problem(place, message, install))
    return warnings


class RunAdapters:
    """Makes the adapters of one run, and ends them with it."""

    def __init__(self, pipeline: str, run_config: Any, custom: list[CustomAdapter], events: Any) -> None:
        self._pipeline = pipeline
        self._run_config = run_config
        self._custom = custom
        self._events = events
        self._lines: list[Line] = []
        self._pools: list[Any] = []

    def make(self, configs: Any, is_async: bool) -> dict[str, Any]:
        """By name, as FlowerPower takes them. `configs` has FlowerPower's `project` and `pipeline` adapter settings."""
        made: dict[str, Any] = {}
        for name in asked_for(self._run_config):
            install = missing_package(name)
            if name == "ray":
                self._warn(f"run.with_adapter.ray: {_NO_EFFECT}.")
            elif install is not None:
                self._warn(f"{name} is off for this run: {_NEEDS[name][1]} is not installed. Install it: {install}")
            else:
                adapter = getattr(self, f"_make_{name}")(configs, is_async)
                if adapter is not None:
                    made[name] = adapter
        for each in self._custom:
            made[each.reference] = each.cls()
        return made

    def close(self) -> list[str]:
        """Ends what they have begun. Names of the threads that do not end."""
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)
            for thread in list(getattr(pool, "_threads", ())):
                thread.join(1.0)
        return [name for line in self._lines if (name := line.close()) is not None]

    def _make_progressbar(self, _configs: Any, is_async: bool) -> Any:
        from .progress_bar import AsyncProgressBar, ProgressBar

        bar = ProgressBar(self._pipeline, lambda text: self._events.log("INFO", "stderr", None, text, None, None))
        return AsyncProgressBar(bar) if is_async else bar

    def _make_future(self, _configs: Any, _is_async: bool) -> Any:
        from hamilton.plugins.h_threadpool import FutureAdapter

        workers: Any = self._run_config.executor.max_workers
        adapter = FutureAdapter(max_workers=workers, thread_name_prefix="future")
        self._pools.append(adapter.executor)
        return adapter

    def _make_hamilton_tracker(self, configs: Any, is_async: bool) -> Any:
        from .hamilton_tracker import make_tracker

        project, pipeline = configs.project.hamilton_tracker, configs.pipeline.hamilton_tracker
        unreachable = _unreachable(project.api_url)
        if unreachable is not None:
            return self._warn(f"hamilton_tracker is off for this run: {unreachable}")
        line = self._line("hamilton_tracker")
        tracker = line.call(lambda: make_tracker(project, pipeline))
        if tracker is None:
            return None
        return AsyncReporter(tracker, line) if is_async else Reporter(tracker, line)

    def _make_mlflow(self, configs: Any, _is_async: bool) -> Any:
        settings = {**configs.project.mlflow.to_dict(), **configs.pipeline.mlflow.to_dict()}
        settings = {key: value for key, value in settings.items() if value is not None}
        uri = settings.get("tracking_uri") or os.environ.get("MLFLOW_TRACKING_URI") or ""
        unreachable = _unreachable(uri) if uri.startswith(("http://", "https://")) else None
        if unreachable is not None:
            return self._warn(f"mlflow is off for this run: {unreachable}")
        if uri:
            # Where the pipeline's own calls of MLflow go too: the adapter makes its run the active one.
            os.environ["MLFLOW_TRACKING_URI"] = uri
        # Its own limits are two minutes, seven times. Put back with the rest of the environment.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        from .mlflow_reporter import make_reporter

        return make_reporter(settings, self._warn)

    def _line(self, name: str) -> Line:
        line = Line(name, self._warn)
        self._lines.append(line)
        return line

    def _warn(self, text: str) -> None:
        with suppress(Exception):
            self._events.log("WARNING", "logging", "flowerpower_job_queue", text, None, None)


def refuse_unpicklable(adapters: dict[str, Any]) -> None:
    """A process pool gets the adapters with each branch: InvalidRun names one that cannot be sent, before any node."""
    for name, adapter in adapters.items():
        try:
            pickle.dumps(adapter)
        except Exception as error:
            message = f"the adapter {name} cannot be sent to another process: {message_of(error)}"
            raise InvalidRun([problem("executor.type", message, "threadpool")]) from error


def _unreachable(url: str) -> str | None:
    """Why nobody answers there: a look that costs a second at most, where a client would try for minutes."""
    address = urllib.parse.urlsplit(url)
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "localhost", port), timeout=_CONNECT_TIMEOUT_S).close()
    except (OSError, ValueError) as error:
        return f"{address.hostname}:{address.port or ''} is not reachable ({error})"
    return None
