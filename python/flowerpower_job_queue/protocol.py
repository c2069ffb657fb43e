"""What the worker and this runtime say to each other; the other side is `src/runtime/protocol.ts`.

One JSON object per line. A request that cannot be understood is a fault: both sides come out of one package.
"""

from __future__ import annotations

import json
import math
import os
import select
import threading
from dataclasses import dataclass
from typing import Any, TypeAlias

from . import text

VERSION = 1

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


class RequestError(ValueError):
    """A request that does not follow the protocol."""


@dataclass(frozen=True)
class Describe:
    """Asks for what the project has; `pipelines` None means all of them, `config` is merged over the YAML's."""

    id: str
    pipelines: list[str] | None
    config: dict[str, Json] | None


@dataclass(frozen=True)
class Job:
    """The job that an attempt belongs to."""

    id: str
    attempt: int
    project: str
    scheduled_at: str
    run_dir: str
    # W3C: the job is the trace, the attempt its span.
    traceparent: str | None = None


@dataclass(frozen=True)
class Executor:
    """What the request says about the executor; None leaves the YAML's."""

    type: str | None
    max_workers: int | None
    num_cpus: int | None


@dataclass(frozen=True)
class ArtifactsRequest:
    """Where and within which limits a run keeps what is not small JSON."""

    url: str
    folder: str
    scratch_dir: str
    max_bytes: int
    max_total_bytes: int
    max_files: int
    min_free_bytes: int
    timeout_ms: int


@dataclass(frozen=True)
class Reuse:
    """What may be taken from earlier runs. `scopes`: the jobs that this one was rerun from."""

    mode: str
    folder: str
    scopes: tuple[str, ...]
    recompute: tuple[str, ...]
    max_entry_bytes: int
    min_free_bytes: int


@dataclass(frozen=True)
class Run:
    """One attempt at a job. `id` is the run token."""

    id: str
    job: Job
    pipeline: str
    inputs: dict[str, Json]
    final_vars: list[str] | None
    config: dict[str, Json]
    executor: Executor | None
    log_level: str | None
    results: str
    max_inline_bytes: int
    artifacts: ArtifactsRequest | None = None
    # The code that it is meant for: with another one it is refused. None: whatever is there.
    code_hash: str | None = None
    reuse: Reuse | None = None
    # For hashing what comes from the environment, which is told by nothing else; None: not hashed.
    hash_key: bytes | None = None


@dataclass(frozen=True)
class Cancel:
    """Asks a run to stop at the next node boundary."""

    run: str
    reason: str


@dataclass(frozen=True)
class Shutdown:
    """Asks the runtime to leave when it is idle."""


Request: TypeAlias = Describe | Run | Cancel | Shutdown


def parse_request(line: bytes | str) -> Request:
    """Reads one line, or raises RequestError."""
    try:
        message = json.loads(line, parse_constant=_refuse_constant, parse_float=_exact_float)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"not a JSON line: {error}") from error
    if not isinstance(message, dict):
        raise RequestError("not a JSON object")
    fields = _Fields(message)
    if fields.take("v", int) != VERSION:
        raise RequestError(f"protocol version {message['v']}, this runtime speaks {VERSION}")
    kind = fields.take("type", str)
    if kind == "describe":
        return Describe(fields.take("id", str), fields.strings("pipelines"), fields.take("config", dict, None))
    if kind == "run":
        return _parse_run(fields)
    if kind == "cancel":
        return Cancel(fields.take("run", str), fields.take("reason", str))
    if kind == "shutdown":
        return Shutdown()
    raise RequestError(f"unknown request type {kind!r}")


def _parse_run(fields: _Fields) -> Run:
    job = _Fields(fields.take("job", dict))
    executor = fields.take("executor", dict, None)
    results = fields.take("results", str)
    if results not in ("full", "summary", "none"):
        raise RequestError(f"results: unknown value {results!r}")
    return Run(
        id=fields.take("id", str),
        job=Job(
            id=job.take("id", str),
            attempt=job.take("attempt", int),
            project=job.take("project", str),
            scheduled_at=job.take("scheduledAt", str),
            run_dir=job.take("runDir", str),
            traceparent=job.take_optional("traceparent", str),
        ),
        pipeline=fields.take("pipeline", str),
        inputs=fields.take("inputs", dict),
        final_vars=fields.strings("finalVars"),
        config=fields.take("config", dict),
        executor=None if executor is None else _parse_executor(_Fields(executor)),
        log_level=fields.take("logLevel", str, None),
        results=results,
        max_inline_bytes=fields.take("maxInlineBytes", int),
        artifacts=_parse_artifacts(fields.optional("artifacts")),
        code_hash=fields.take_optional("codeHash", str),
        reuse=_parse_reuse(fields.optional("reuse")),
        hash_key=fields.hexadecimal("hashKey"),
    )


def _parse_executor(fields: _Fields) -> Executor:
    return Executor(
        fields.take("type", str, None), fields.take("maxWorkers", int, None), fields.take("numCpus", int, None)
    )


def _parse_artifacts(request: dict[str, Any] | None) -> ArtifactsRequest | None:
    if request is None:
        return None
    fields = _Fields(request)
    return ArtifactsRequest(
        url=fields.take("url", str),
        folder=fields.take("folder", str),
        scratch_dir=fields.take("scratchDir", str),
        max_bytes=fields.take("maxBytes", int),
        max_total_bytes=fields.take("maxTotalBytes", int),
        max_files=fields.take("maxFiles", int),
        min_free_bytes=fields.take("minFreeBytes", int),
        timeout_ms=fields.take("timeoutMs", int),
    )


def _parse_reuse(request: dict[str, Any] | None) -> Reuse | None:
    if request is None:
        return None
    fields = _Fields(request)
    mode = fields.take("mode", str)
    if mode not in ("resume", "full"):
        raise RequestError(f"reuse.mode: unknown value {mode!r}")
    return Reuse(
        mode=mode,
        folder=fields.take("folder", str),
        scopes=tuple(fields.strings("scopes") or ()),
        recompute=tuple(fields.strings("recompute") or ()),
        max_entry_bytes=fields.take("maxEntryBytes", int),
        min_free_bytes=fields.take("minFreeBytes", int),
    )


class _Fields:
    """A JSON object whose fields are taken by name and type."""

    def __init__(self, message: dict[str, Any]) -> None:
        self._message = message

    def take(self, name: str, *types: type | None) -> Any:
        """The field, which must be there and of one of the types (None: null is allowed)."""
        if name not in self._message:
            raise RequestError(f"{name}: missing")
        value = self._message[name]
        for expected in types:
            if expected is None:
                if value is None:
                    return None
            elif isinstance(value, expected) and not (expected is int and isinstance(value, bool)):
                return value
        raise RequestError(f"{name}: unexpected {type(value).__name__}")

    def optional(self, name: str) -> dict[str, Any] | None:
        """An object that may be left out or null."""
        return self.take(name, dict, None) if name in self._message else None

    def take_optional(self, name: str, *types: type | None) -> Any:
        """The same, where absent and null both mean None."""
        return self.take(name, *types, None) if name in self._message else None

    def hexadecimal(self, name: str) -> bytes | None:
        """Bytes as hexadecimal text; None when it is null or absent."""
        text = self.take_optional(name, str)
        try:
            return None if text is None else bytes.fromhex(text)
        except ValueError as error:
            raise RequestError(f"{name}: not hexadecimal") from error

    def strings(self, name: str) -> list[str] | None:
        """A list of strings, or null."""
        value = self.take(name, list, None)
        if value is not None and not all(isinstance(item, str) for item in value):
            raise RequestError(f"{name}: not a list of strings")
        return value


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _exact_float(literal: str) -> float:
    value = float(literal)
    if math.isinf(value):
        raise ValueError(f"{literal} is too large for a number")
    return value


class Channel:
    """The descriptor on which answers and events leave. Lines are written whole, whatever thread they come from."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()
        self.broken = False
        os.register_at_fork(after_in_child=self._fall_silent)

    def _fall_silent(self) -> None:
        """In a forked child: what it does is not the run's to tell, and the lock may be held by nobody who is there."""
        self._lock = threading.Lock()
        self.broken = True

    def send(self, kind: str, **fields: Any) -> None:
        """Writes one message. A reader that has gone is noted, never raised: a run must not fail because of it."""
        self.send_line(text.encode({"v": VERSION, "type": kind, **fields}))

    def send_line(self, line: bytes) -> None:
        """Writes an encoded message."""
        with self._lock:
            if self.broken:
                return
            view = memoryview(line)
            try:
                while view:
                    view = view[os.write(self._fd, view) :]
            except BlockingIOError:
                # The parent may have handed us a non-blocking socket: wait until it has drained some.
                self._write_rest(view)
            except OSError:
                self.broken = True

    def _write_rest(self, view: memoryview) -> None:
        poller = select.poll()
        poller.register(self._fd, select.POLLOUT)
        try:
            while view:
                poller.poll()
                try:
                    view = view[os.write(self._fd, view) :]
                except BlockingIOError:
                    continue
        except OSError:
            self.broken = True

    def has_lost_its_reader(self) -> bool:
        """True when nobody can ever read what we write: the parent has died."""
        if self.broken:
            return True
        poller = select.poll()
        poller.register(self._fd, 0)
        return any(event & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, event in poller.poll(0))
