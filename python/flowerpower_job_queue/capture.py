"""What a pipeline prints, logs or writes to descriptor 1 and 2 becomes log lines, each of them once.

Three ways in, which never overlap:
- `sys.stdout` and `sys.stderr` are objects of ours that never touch the descriptors. They know the context (of a thread
  or of an asyncio task) that writes, so a line belongs to the node that runs in it, or to none.
- Logging handlers and loguru write to these objects. A record is recognised there and keeps its level and logger.
- Descriptors 1 and 2 lead into pipes of ours, for C code and child processes. Such lines have no node.

Outside a run everything goes to the descriptors that the parent gave us.
"""

from __future__ import annotations

import ctypes
import fcntl
import io
import logging
import os
import select
import struct
import sys
import termios
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

from .interrupts import interrupts
from .run_events import EventSink

# Hamilton tells of one failing node four to five times, with banners. The node's own event says it once.
_NOISY_LOGGERS = frozenset(
    (
        "hamilton.async_driver",
        "hamilton.driver",
        "hamilton.execution.executors",
        "hamilton.execution.graph_functions",
        "hamilton.telemetry",
    )
)
# FlowerPower's "attempt 1/1": attempts are the queue's, and their beginning and end are events.
_NOISY_LOGURU = frozenset(("flowerpower.pipeline.retry",))
_LEVELS = {"TRACE": "DEBUG", "SUCCESS": "INFO", "NOTSET": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}
_KNOWN_LEVELS = frozenset(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
# Programs write progress and notes to stderr; it does not mean failure.
_STREAM_LEVELS = {"stdout": "INFO", "stderr": "WARNING"}
_PIPE_BYTES = 1024 * 1024
_MAX_PARTIAL = 64 * 1024


@dataclass(frozen=True, eq=False)
class RunningNode:
    """A node while it runs. Two of them are never equal: each has lines of its own."""

    node: str
    branch: str | None
    # Set in a pool's process, which has no run of its own.
    sink: EventSink | None = None


# Of a thread, or of an asyncio task: several nodes may run in one thread. What a node starts (a task, `to_thread`)
# inherits it; a plain new thread does not.
_running: ContextVar[RunningNode | None] = ContextVar("flowerpower_job_queue_node", default=None)


def enter_node(node: str, branch: str | None, sink: EventSink | None = None) -> None:
    """From here on this context's lines belong to the node."""
    _running.set(RunningNode(node, branch, sink))


def leave_node() -> None:
    """Ends what `enter_node` began; a line without its end is completed first."""
    complete_lines()
    _running.set(None)


def complete_lines() -> None:
    """Ends the lines that the node of this context has begun."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, CapturedStream):
            stream.complete_line()


class Capture:
    """Takes over stdout, stderr and logging for the life of the process."""

    def __init__(self) -> None:
        self.sink: EventSink | None = None
        self._raw: list[_RawStream] = []
        # A forked child (a pool's process, the user's own multiprocessing) has no reader thread and no run.
        self.in_child = False
        self.stdout = CapturedStream(self, "stdout", 1)
        self.stderr = CapturedStream(self, "stderr", 2)

    def install(self) -> None:
        """Redirects everything."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        self._raw = [_RawStream(self, "stdout", 1), _RawStream(self, "stderr", 2)]
        sys.stdout, sys.stderr = self.stdout, self.stderr
        sys.stdin = open(os.devnull)  # noqa: SIM115 (stays open as long as the process)
        _patch_stream_handler()
        os.register_at_fork(after_in_child=self._become_child)
        threading.Thread(target=self._read_raw, name="flowerpower-job-queue-output", daemon=True).start()

    def streams(self) -> Iterable[CapturedStream]:
        """The two objects that stand in for stdout and stderr."""
        return (self.stdout, self.stderr)

    def log(self, level: str, stream: str, logger: str | None, line: str) -> None:
        """Hands a line of this context over: to the run, or to the parent's descriptor when there is none."""
        self.log_of(_running.get(), level, stream, logger, line)

    def log_of(self, running: RunningNode | None, level: str, stream: str, logger: str | None, line: str) -> None:
        """The same for a line that the node has written, or that has no node."""
        sink = self.sink if running is None or running.sink is None else running.sink
        if self.in_child and (running is None or running.sink is None):
            os.write(2 if stream != "stdout" else 1, f"{line}\n".encode(errors="backslashreplace"))
        elif sink is None:
            self.write_outside(stream, f"{line}\n")
        elif running is None:
            sink.log(level, stream, logger, line, None, None)
        else:
            sink.log(level, stream, logger, line, running.node, running.branch)

    def write_outside(self, stream: str, line: str) -> None:
        """Writes to what the parent gave us as stdout or stderr."""
        if self._raw:
            raw = self._raw[0 if stream == "stdout" else 1]
            with suppress(OSError):
                os.write(raw.original, line.encode(errors="backslashreplace"))

    def flush(self) -> None:
        """Everything written so far becomes log lines, before this returns."""
        for stream in self.streams():
            stream.complete_all()
        _flush_c_streams()
        for raw in self._raw:
            raw.drain()

    def restore(self) -> None:
        """Descriptors that a run has closed, or has led elsewhere, lead to us again."""
        for raw in self._raw:
            raw.restore()

    def _read_raw(self) -> None:
        poller = select.poll()
        by_fd = {raw.reader: raw for raw in self._raw}
        for fd in by_fd:
            poller.register(fd, select.POLLIN)
        while True:
            for fd, _ in poller.poll():
                by_fd[fd].read_available()

    def _become_child(self) -> None:
        self.in_child = True
        self.sink = None
        _running.set(None)
        for stream in self.streams():
            stream.forget()


# A thread, and the node that runs in it: of several nodes in one thread each has its own line.
_Writer: TypeAlias = tuple[int, RunningNode | None]


def _writer() -> _Writer:
    return threading.get_ident(), _running.get()


def capture_in_pool() -> None:
    """In a pool's process that was not forked: it has the usual streams, which know no node."""
    if isinstance(sys.stdout, CapturedStream):
        return
    capture = Capture()
    capture.in_child = True
    sys.stdout, sys.stderr = capture.stdout, capture.stderr
    _patch_stream_handler()


class CapturedStream(io.TextIOBase):
    """Stands in for `sys.stdout` or `sys.stderr`."""

    def __init__(self, capture: Capture, name: str, fd: int) -> None:
        self._capture = capture
        self._name = name
        self._fd = fd
        self._lock = threading.RLock()
        # Lines that have not ended yet, by who writes them.
        self._partial: dict[_Writer, str] = {}
        # Those whose line has been sent, because it was too long, before its end was seen.
        self._overflowing: set[_Writer] = set()
        self.buffer = _CapturedBuffer(self)

    name = property(lambda self: f"<{self._name}>")
    mode = "w"
    encoding = "utf-8"  # pyright: ignore[reportAssignmentType]
    errors = "backslashreplace"  # pyright: ignore[reportAssignmentType]
    line_buffering = True

    def write(self, text: str) -> int:
        """Takes text; each complete line becomes a log line."""
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        record = getattr(text, "record", None)
        if record is not None and isinstance(record, dict):
            self._write_loguru(text, record)
            return len(text)
        writer = _writer()
        written = len(text)
        with interrupts.shield(), self._lock:
            if writer in self._overflowing:
                _, end, text = text.partition("\n")
                if not end:
                    return written
                self._overflowing.discard(writer)
            *lines, rest = (self._partial.pop(writer, "") + text).split("\n")
            rest = _collapse_unfinished(rest)
            if rest:
                self._partial[writer] = rest
        for line in lines:
            self._send(_collapse(line))
        if len(rest) > _MAX_PARTIAL:
            self.complete_line()
            self._overflowing.add(writer)
        return written

    def _write_loguru(self, text: str, record: dict[str, Any]) -> None:
        """Loguru hands its record over with the text it has formatted."""
        if record.get("name") in _NOISY_LOGURU:
            return
        message = str(record["message"])
        exception = record.get("exception")
        if exception is not None:
            # The formatted text ends with the traceback; what stands before the message is loguru's own layout.
            _, _, after = str(text).partition(message)
            message = (message + after).rstrip("\n")
        self._capture.log(level_name(record["level"].name), "loguru", record.get("name"), message)

    def _send(self, line: str) -> None:
        level = _STREAM_LEVELS[self._name]
        self._capture.log(level, self._name, None, line)

    def complete_line(self) -> None:
        """Ends this context's line, if it has begun one."""
        with self._lock:
            partial = self._partial.pop(_writer(), "")
        if partial:
            self._send(_collapse(partial))

    def complete_all(self) -> None:
        """Ends every line that has been begun."""
        with self._lock:
            partials, self._partial = self._partial, {}
            self._overflowing.clear()
        for (_, running), partial in partials.items():
            self._capture.log_of(running, _STREAM_LEVELS[self._name], self._name, None, _collapse(partial))

    def forget(self) -> None:
        """In a forked child: the lock may be held by a thread that does not exist here."""
        self._lock = threading.RLock()
        self._partial = {}
        self._overflowing = set()

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes each."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Nothing to do: complete lines have left already."""

    def close(self) -> None:
        """Ignored: the stream is the process' own."""

    def fileno(self) -> int:
        """The real descriptor, for child processes."""
        return self._fd

    def isatty(self) -> bool:
        """Never a terminal."""
        return False

    def writable(self) -> bool:
        """Always."""
        return True

    def readable(self) -> bool:
        """Never."""
        return False

    def reconfigure(self, **_: Any) -> None:
        """Accepted as `io.TextIOWrapper` does; the encoding stays UTF-8."""


class _CapturedBuffer(io.RawIOBase):
    """The `buffer` of a captured stream, for code that writes bytes."""

    def __init__(self, stream: CapturedStream) -> None:
        self._stream = stream

    def write(self, data: Any) -> int:
        raw = bytes(data)
        self._stream.write(raw.decode(errors="backslashreplace"))
        return len(raw)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def close(self) -> None:
        pass


class _RawStream:
    """A descriptor that leads into a pipe of ours."""

    def __init__(self, capture: Capture, name: str, fd: int) -> None:
        self._capture = capture
        self._name = name
        self._fd = fd
        self._lock = threading.Lock()
        self._partial = b""
        self._overflowing = False
        self.original = os.dup(fd)
        os.set_inheritable(self.original, False)
        self.reader, writer = os.pipe()
        # C code that writes while it holds the GIL would wait for our reader, which waits for the GIL. Room helps.
        with suppress(OSError, AttributeError):
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)  # pyright: ignore[reportAttributeAccessIssue]
        os.dup2(writer, fd, inheritable=True)
        self._writer = writer

    def restore(self) -> None:
        """Leads the descriptor back into our pipe."""
        try:
            if os.path.sameopenfile(self._fd, self._writer):
                return
        except OSError:
            pass  # It is closed.
        with suppress(OSError):
            os.dup2(self._writer, self._fd, inheritable=True)

    def read_available(self) -> None:
        """Reads what is there."""
        with self._lock:
            size = _waiting_bytes(self.reader)
            if size:
                self._take(os.read(self.reader, size))

    def drain(self) -> None:
        """Reads what was there when it was called, and ends an unfinished line."""
        with self._lock:
            size = _waiting_bytes(self.reader)
            if size:
                self._take(os.read(self.reader, size))
            if self._partial:
                rest, self._partial = self._partial, b""
                self._send(rest.decode(errors="backslashreplace"))

    def _take(self, data: bytes) -> None:
        if self._capture.sink is None:
            with suppress(OSError):
                os.write(self.original, self._partial + data)
            self._partial = b""
            return
        if self._overflowing:
            _, end, data = data.partition(b"\n")
            if not end:
                return
            self._overflowing = False
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._send(line.decode(errors="backslashreplace"))
        if b"\r" in self._partial:
            unfinished = _collapse_unfinished(self._partial.decode(errors="surrogateescape"))
            self._partial = unfinished.encode(errors="surrogateescape")
        if len(self._partial) > _MAX_PARTIAL:
            rest, self._partial, self._overflowing = self._partial, b"", True
            self._send(rest.decode(errors="backslashreplace"))

    def _send(self, line: str) -> None:
        level = _STREAM_LEVELS[self._name]
        self._capture.log_of(None, level, self._name, None, _collapse(line))


def listen_to_logging(level: str) -> None:
    """Shows what `logging` is told, from this level, where the pipeline has not set up logging itself.

    Without a handler Python shows warnings and drops the rest. Taken back after the run, with all else of logging.
    """
    if logging.root.handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(lambda record: not record.name.startswith("hamilton") or record.levelno >= logging.WARNING)
    logging.root.addHandler(handler)
    if logging.root.level == logging.WARNING:
        hamilton = logging.getLogger("hamilton")
        if hamilton.level == logging.NOTSET:
            # As without us. The filter alone would have each node's records made, only to drop them.
            hamilton.level = logging.WARNING
        logging.root.setLevel(level)


def level_name(name: str) -> str:
    """One of the protocol's five levels."""
    name = _LEVELS.get(name.upper(), name.upper())
    return name if name in _KNOWN_LEVELS else "INFO"


def _collapse(line: str) -> str:
    """A progress bar draws its line again and again; the last drawing counts."""
    if "\r" not in line:
        return line
    drawings = [drawing for drawing in line.split("\r") if drawing.strip()]
    return drawings[-1] if drawings else ""


def _collapse_unfinished(rest: str) -> str:
    if "\r" not in rest:
        return rest
    return _collapse(rest) + ("\r" if rest.endswith("\r") else "")


def _waiting_bytes(fd: int) -> int:
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"))[0]


def _patch_stream_handler() -> None:
    """A handler that writes to one of our streams hands over its record, formatted as the user wants it."""
    original: Callable[[logging.StreamHandler[Any], logging.LogRecord], None] = logging.StreamHandler.emit

    def emit(self: logging.StreamHandler[Any], record: logging.LogRecord) -> None:
        stream = self.stream
        if not isinstance(stream, CapturedStream):
            original(self, record)
            return
        if record.name in _NOISY_LOGGERS and record.levelno >= logging.ERROR:
            return
        try:
            line = self.format(record)
            stream._capture.log(_level_of(record.levelno), "logging", record.name, line)  # pyright: ignore[reportPrivateUsage]
        except RecursionError:
            raise
        except Exception:
            self.handleError(record)

    logging.StreamHandler.emit = emit


def _level_of(levelno: int) -> str:
    for name in ("CRITICAL", "ERROR", "WARNING", "INFO"):
        if levelno >= logging.getLevelNamesMapping()[name]:
            return name
    return "DEBUG"


def _flush_c_streams() -> None:
    """C's own stdout buffers whole blocks when it is a pipe."""
    if _c_stdout is not None and _c_library is not None:
        _c_library.fflush(_c_stdout)


try:
    _c_library: Any = ctypes.CDLL(None)
    _c_stdout: Any = ctypes.c_void_p.in_dll(_c_library, "__stdoutp" if sys.platform == "darwin" else "stdout")
except (OSError, ValueError):  # pragma: no cover (another C library)
    _c_library = _c_stdout = None
