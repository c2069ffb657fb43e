"""One run: current code, a checked plan, real FlowerPower, and an end that is decided here."""

from __future__ import annotations

import json
import os
import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from . import clock, fingerprint, flowerpower_guard
from .adapters import RunAdapters, refuse_unpicklable
from .artifacts import THREAD, Artifacts
from .async_run import AsyncNodeEvents, AsyncRun
from .capture import Capture, level_name, listen_to_logging
from .configuration import (
    BrokenConfiguration,
    has_password,
    is_secret_name,
    publish,
    resolved_secrets,
    variables_in,
)
from .environment import packages
from .errors import InvalidRun, describe_error, invalid, problem
from .interrupts import interrupts
from .isolation import ProcessState, resident_bytes, seed_anew
from .measures import Measures
from .node_events import Cancelled, NodeEvents
from .origin import CODE
from .plan import Plan, plan_run
from .pool_nodes import PoolNodes, pools_are_forked
from .project import LoadedPipeline, Project
from .protocol import Channel, Run
from .relay import Relay
from .reproduce import call_of, variables_of
from .resolved import resolved_config
from .results import describe_results
from .retry import written_retry
from .reuse import ReuseAdapter
from .reuse_rules import rules_of, why_no_reuse
from .reuse_store import ReuseStore
from .run_events import RunEvents
from .settings import nearest_name, read_settings
from .text import Mask, encode


class PipelineRun:
    """A run from its request to its `ended`."""

    def __init__(self, request: Run, project: Project, channel: Channel, capture: Capture) -> None:
        self._request = request
        self._project = project
        self._channel = channel
        self._capture = capture
        scratch = None if request.artifacts is None else request.artifacts.scratch_dir
        self.events = RunEvents(request.id, channel, whole_log_folder=scratch)
        self._relay: Relay | None = None
        self._cancelled: str | None = None
        self._retry: dict[str, Any] | None = None
        self._sets_log_level = False
        # What the run leaves running: this process is then no good for another one.
        self._left: list[str] = []

    def cancel(self, reason: str) -> None:
        """Stops at the next node boundary. Called from the thread that reads requests."""
        self.events.cancel(reason)
        if self._relay is not None:
            self._relay.cancel(reason)

    def execute(self, runs: int) -> None:
        """Runs and tells how it ended: `ended` is the last message, after every event and every line of the log."""
        error: dict[str, Any] | None = None
        values: dict[str, Any] = {}
        results: dict[str, Any] = {}
        os.chdir(self._project.folder)
        self._capture.sink = self.events
        interrupts.arrived = False
        variables = self._job_variables()
        os.environ.update(variables)
        state = ProcessState()
        process = os.getpid()
        try:
            imports = self._project.imports
            loaded, plan = self._prepare()
            if self._project.imports != imports:
                # What importing the modules did is part of them, and stays as long as they do.
                state = ProcessState()
            values = self._run(loaded, plan)
            secret = self._secret_among(values, loaded, plan)
            results = describe_results(values, self._request.results, self._request.max_inline_bytes, secret)
            values = {name: value for name, value in values.items() if name not in secret}
        except BrokenConfiguration as broken:
            error = invalid(broken.problems)
        except BaseException as raised:
            if os.getpid() != process:
                _leave_fork(self._capture, raised)
            error = self._error_of(raised)
        finally:
            interrupts.disarm()
        if os.getpid() != process:
            _leave_fork(self._capture, None)
        threads = state.threads_left() + self._left
        self._capture.flush()
        self._capture.restore()
        if self._relay is not None:
            self._relay.close()
            self.events.before_event = None
        count = self.events.close()
        self._capture.sink = None
        kept = self._keep(values if error is None else {}, results)
        if kept.pop("leftBehind"):
            threads.append(THREAD)
        state.restore()
        if self._sets_log_level:
            # Only now: its new handler takes standard error as it is.
            flowerpower_guard.forget_log_level()
        for name in variables:
            os.environ.pop(name, None)
        if error is not None and error["kind"] == "CANCELLED":
            # A stopped thread pool may be left half closed, and FlowerPower keeps it for the next run.
            self._project.forget_executors()
        told = {"rssBytes": resident_bytes(), "threads": threads, "runs": runs}
        self._send_ended(error, results, kept, count, told)
        # Behind the answer, which nobody shall wait longer for.
        seed_anew()

    def _keep(self, values: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
        """Keeps results that are no small JSON, what the run has left in its folder, and a log that was cut."""
        request = self._request.artifacts
        kept: dict[str, Any] = {"files": [], "log": None, "storedMs": None}
        kept.update(storingStopped=False, leftBehind=False)
        if request is None:
            return kept
        artifacts = Artifacts(request, self.events.mask.hide_text)
        # Whatever is wrong with a folder or a store: the run has ended well without it.
        with suppress(OSError):
            self._add(artifacts, values, results, kept)
        kept["storedMs"], kept["leftBehind"] = artifacts.store(lambda: self.events.cancel_reason() is not None)
        kept["storingStopped"] = artifacts.was_stopped
        return kept

    def _add(self, artifacts: Artifacts, values: dict[str, Any], results: dict[str, Any], kept: dict[str, Any]) -> None:
        if self.events.whole_log is not None:
            kept["log"] = artifacts.add_log(self.events.whole_log)
        if self._request.results == "full":
            artifacts.add_results(values, results)
            kept["files"] = artifacts.add_files(self._request.job.run_dir)

    def _prepare(self) -> tuple[LoadedPipeline, Plan]:
        """Reads the code as it is now and checks the request against it."""
        name = self._request.pipeline
        configuration = self._project.configuration
        if configuration.pipeline_file(name) is None:
            nearest = nearest_name(name, [pipeline.name for pipeline in configuration.pipelines()])
            raise InvalidRun([problem("pipeline", f"there is no pipeline {name!r}", nearest)])
        document = configuration.pipeline_document(name)
        self.events.mask = Mask(resolved_secrets([configuration.project_document(), document]))
        problems = read_settings(document).problems
        if problems:
            raise InvalidRun(problems)
        loaded = self._project.load(name)
        wanted = self._request.code_hash
        if wanted is not None and wanted != loaded.code_hash:
            message = "the code in the project's folder is not that with which this is to run"
            raise InvalidRun([problem("code", message)])
        self._retry = written_retry(loaded.document, loaded.run_config, loaded.origins)
        plan = plan_run(self._request, loaded)
        self.events.emit("run.resolved", self._resolved(loaded, plan))
        return loaded, plan

    def _run(self, loaded: LoadedPipeline, plan: Plan) -> dict[str, Any]:
        reuse = self._reuse_of(loaded, plan)
        hooks = NodeEvents(
            self.events,
            self._project.folder,
            plan.blocks,
            self._hidden(loaded, plan),
            self._relay_folder,
            reuse,
            statistics=self._wants_statistics(loaded),
            measures=Measures(one_thread=plan.is_async),
        )
        adapters = RunAdapters(self._request.pipeline, loaded.run_config, loaded.adapters, self.events)
        self._sets_log_level = (self._request.log_level or loaded.run_config.log_level) is not None
        try:
            made = adapters.make(loaded.adapter_settings, plan.is_async)
            if plan.executor["type"] == "processpool" and plan.blocks:
                refuse_unpicklable(made)
            if plan.is_async:
                result = self._run_async(loaded, plan, hooks, made)
            else:
                result = self._run_sync(loaded, plan, hooks, made, reuse)
        finally:
            interrupts.disarm()
            self._left += adapters.close()
        # An adapter of the user's may build something else than a dict.
        return result if isinstance(result, dict) else {plan.final_vars[0]: result}

    def _run_sync(
        self,
        loaded: LoadedPipeline,
        plan: Plan,
        hooks: NodeEvents,
        adapters: dict[str, Any],
        reuse: ReuseAdapter | None,
    ) -> Any:
        if reuse is not None:
            # Before the hooks: a value is stored before it is told what has become of its node.
            adapters = {**adapters, "flowerpower_job_queue_reuse": reuse}
        options: dict[str, Any] = {
            "inputs": plan.inputs,
            "final_vars": plan.final_vars,
            "max_retries": 0,
            "reload": False,
            # FlowerPower would only say that it cannot make them.
            "with_adapter_cfg": {"hamilton_tracker": False, "mlflow": False},
            "adapter": {**adapters, "flowerpower_job_queue": hooks},
        }
        nodes = PoolNodes() if plan.executor["type"] == "processpool" and pools_are_forked() else None
        if nodes is not None:
            options["adapter"]["flowerpower_job_queue_nodes"] = nodes
        if self._request.config:
            options["config"] = dict(self._request.config)
        if self._request.executor is not None:
            options["executor_cfg"] = {key: value for key, value in plan.executor.items() if value is not None}
        if self._request.log_level is not None:
            options["log_level"] = self._request.log_level.upper()
        listen_to_logging(self._level(loaded))
        manager = self._project.manager
        interrupts.arm()
        try:
            with self._comparing(reuse):
                return manager.run(self._request.pipeline, **options)
        except Exception as raised:
            # Futures may still be running.
            if "future" not in adapters:
                hooks.fail_open(raised)
            raise
        finally:
            if nodes is not None:
                nodes.forget()

    def _run_async(self, loaded: LoadedPipeline, plan: Plan, hooks: NodeEvents, adapters: dict[str, Any]) -> Any:
        level = self._request.log_level or loaded.run_config.log_level
        listen_to_logging(self._level(loaded))
        run = AsyncRun(self.events, AsyncNodeEvents(hooks))
        interrupts.arm()
        try:
            return run.execute(
                self._request.pipeline,
                loaded.modules,
                plan,
                list(adapters.values()),
                loaded.run_config,
                level and level.upper(),
            )
        finally:
            self._left += run.stubborn

    def _level(self, loaded: LoadedPipeline) -> str:
        """From which on `logging` is listened to: the level that FlowerPower sets for loguru."""
        return level_name(self._request.log_level or loaded.run_config.log_level or "INFO")

    def _wants_statistics(self, loaded: LoadedPipeline) -> bool:
        """The pipeline's setting, else the project's, else on."""
        project = self._project.configuration.project_document()
        written = [read_settings(document).values["statistics"] for document in (loaded.document, project)]
        return next((value for value in written if value is not None), "on") == "on"

    def _reuse_of(self, loaded: LoadedPipeline, plan: Plan) -> ReuseAdapter | None:
        asked, job = self._request.reuse, self._request.job
        if asked is None:
            return None
        why = why_no_reuse(loaded.adapters, plan.is_async)
        if why is not None:
            text = f"Nothing is reused in this run, nor stored: {why}."
            self.events.log("WARNING", "logging", "flowerpower_job_queue", text, None, None)
            return None
        imported = self._project.code.digests()
        setting = json.dumps([sys.version, _packages()], sort_keys=True)
        rules = rules_of(plan.graph, plan.path, asked, job.id, setting, imported)
        store = ReuseStore(asked.folder, asked.max_entry_bytes, asked.min_free_bytes)
        return ReuseAdapter(store, rules, job.id, job.attempt, imported)

    def _comparing(self, reuse: ReuseAdapter | None) -> AbstractContextManager[None]:
        return nullcontext() if reuse is None else fingerprint.in_hamilton(self._project.code.digests())

    def _hidden(self, loaded: LoadedPipeline, plan: Plan) -> frozenset[str]:
        """Inputs that were resolved from the environment."""
        resolved = _resolved_in(loaded, "inputs")
        return frozenset(resolved & plan.inputs.keys() - self._request.inputs.keys())

    def _secret_among(self, values: dict[str, Any], loaded: LoadedPipeline, plan: Plan) -> frozenset[str]:
        """Inputs and config that were asked for as results, and must not be stored with their value."""
        resolved = self._hidden(loaded, plan) | (_resolved_in(loaded, "config") - self._request.config.keys())
        given = {name for name in values if name in plan.inputs or name in plan.config}
        named = {name for name in given if is_secret_name(name) or has_password(values[name])}
        return frozenset(given & resolved | named)

    def _relay_folder(self) -> str:
        """Called when the hooks are pickled for a process pool."""
        if self._relay is None:
            self._relay = Relay(self.events)
            self.events.before_event = self._relay.fetch
            reason = self.events.cancel_reason()
            if reason is not None:
                self._relay.cancel(reason)
        return self._relay.folder

    def _error_of(self, raised: BaseException) -> dict[str, Any]:
        """The error of the run. A node's own event has seen the real exception; what arrives here may be wrapped."""
        folder = self._project.folder
        if isinstance(raised, Cancelled):
            return describe_error(raised, folder, kind="CANCELLED")
        if isinstance(raised, InvalidRun):
            return invalid(raised.problems, raised.hint)
        reason = self.events.cancel_reason()
        if isinstance(raised, KeyboardInterrupt) and (interrupts.arrived or reason is not None):
            failure = self.events.first_failure
            where = failure if failure is not None and failure["kind"] == "CANCELLED" else None
            return {
                **(where or describe_error(raised, folder, kind="CANCELLED")),
                "message": reason or "interrupted",
            }
        if self.events.first_failure is not None:
            return self.events.first_failure
        if self.events.nodes_started == 0 and _is_refusal(raised):
            return invalid([problem("run", f"{type(raised).__name__}: {raised}")])
        return describe_error(raised, folder)

    def _resolved(self, loaded: LoadedPipeline, plan: Plan) -> dict[str, Any]:
        document = loaded.document
        resolved = resolved_config(self._request, loaded, plan)
        documents = [self._project.configuration.project_document(), document]
        variables = variables_of(variables_in(documents))
        return {
            "codeHash": loaded.code_hash,
            "path": plan.path,
            "finalVars": plan.final_vars,
            "context": {
                "python": sys.version.split()[0],
                "executable": sys.executable,
                "packages": _packages(),
                "modules": loaded.files,
                "configFile": document.path,
                "run": publish(document.section("run")),
                "params": publish(document.section("params")),
                "executor": publish(plan.executor),
                "inputSources": {
                    entry["path"].removeprefix("inputs."): entry["source"]
                    for entry in resolved
                    if entry["path"].startswith("inputs.") and entry["source"] != CODE
                },
                "resolved": resolved,
                "retry": self._retry,
                "nodes": plan.graph.code_hashes(plan.path, self._project.folder),
                "call": call_of(self._request, loaded, plan, variables),
            },
        }

    def _job_variables(self) -> dict[str, str]:
        job = self._request.job
        traced = {} if job.traceparent is None else {"FLOWERPOWER_TRACEPARENT": job.traceparent}
        return {
            **traced,
            "FLOWERPOWER_JOB_ID": job.id,
            "FLOWERPOWER_ATTEMPT": str(job.attempt),
            "FLOWERPOWER_PROJECT": job.project,
            "FLOWERPOWER_SCHEDULED_AT": job.scheduled_at,
            "FLOWERPOWER_RUN_DIR": job.run_dir,
        }

    def _send_ended(
        self,
        error: dict[str, Any] | None,
        results: dict[str, Any],
        kept: dict[str, Any],
        count: int,
        process: dict[str, Any],
    ) -> None:
        if error is not None:
            error = self._masked(error)
        self._channel.send(
            "ended",
            run=self._request.id,
            events=count,
            at=clock.now(),
            outcome="succeeded" if error is None else "failed",
            error=error,
            results=results,
            retry=self._retry,
            process=process,
            **kept,
        )

    def _masked(self, error: dict[str, Any]) -> dict[str, Any]:
        return json.loads(self.events.mask.hide(encode(error)))


def _resolved_in(loaded: LoadedPipeline, section: str) -> set[str]:
    """Names in the section, `inputs` or `config`, whose value came from the environment."""
    origins = {
        str(name): loaded.origins.of("pipeline", "run", section, str(name))
        for name in getattr(loaded.run_config, section) or {}
    }
    return {name for name, origin in origins.items() if origin is not None and origin.reference is not None}


def _leave_fork(capture: Capture, raised: BaseException | None) -> None:
    """Ends a child that a node has forked and that has come back from the node, as it would have ended as a program.

    It must not become a second runtime: who waits for its end, as the node does, would wait for ever.
    """
    for stream in capture.streams():
        stream.complete_all()
    code = raised.code if isinstance(raised, SystemExit) else raised
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _is_refusal(raised: BaseException) -> bool:
    """True when Hamilton's driver or FlowerPower's configuration has refused the run, before any node."""
    frame = raised.__traceback__
    last = ""
    while frame is not None:
        last = frame.tb_frame.f_globals.get("__name__", "")
        frame = frame.tb_next
    return last in ("hamilton.driver", "hamilton.graph") or last.startswith(
        ("flowerpower.cfg", "flowerpower.utils.sec")
    )


_known_packages: dict[str, str] = {}


def _packages() -> dict[str, str]:
    if not _known_packages:
        _known_packages.update(packages())
    return _known_packages
