"""The events of one run: numbered, in order, written at once; log lines within their caps."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from . import clock
from .interrupts import interrupts
from .protocol import VERSION, Channel
from .text import Mask, clean, encode
from .whole_log import WholeLog

MAX_LINE_BYTES = 16 * 1024
# The head is sent as it comes, the tail when the run has ended: the first and the last lines say most.
HEAD_LINES, HEAD_BYTES = 8_000, 4 * 1024 * 1024
TAIL_LINES, TAIL_BYTES = 2_000, 1024 * 1024

Event = dict[str, Any]


class EventSink(Protocol):
    """Where node events and log lines go: the run's own list, or from a pool's process the way to it."""

    def emit(self, event: str, data: dict[str, Any], node: str | None = None, branch: str | None = None) -> None:
        """Records an event of a node."""
        ...

    def log(self, level: str, stream: str, logger: str | None, line: str, node: str | None, branch: str | None) -> None:
        """Records a log line."""
        ...

    def cancel_reason(self) -> str | None:
        """Why the run is to stop, or None."""
        ...


class RunEvents:
    """What a run has told so far. Safe to use from every thread."""

    def __init__(
        self, run: str, channel: Channel, mask: Mask | None = None, whole_log_folder: str | None = None
    ) -> None:
        self.run = run
        self.mask = mask or Mask()
        # The log with all its lines, once `close` has found that some are missing among the events.
        self.whole_log: Path | None = None
        self.count = 0
        self.first_failure: dict[str, Any] | None = None
        self.nodes_started = 0
        # Called before each event: fetches what pool processes have sent, so that cause stays before effect.
        self.before_event: Callable[[], None] | None = None
        self._channel = channel
        self._lock = threading.RLock()
        self._cancel_reason: str | None = None
        self._log = _LogBudget()
        # The mask is asked for each line: it is known only when the run has read its configuration.
        self._whole = None if whole_log_folder is None else WholeLog(whole_log_folder, lambda t: self.mask.hide_text(t))
        self._closed = False
        self._pid = os.getpid()

    def cancel(self, reason: str) -> None:
        """Asks the run to stop at the next node boundary."""
        self._cancel_reason = reason

    def cancel_reason(self) -> str | None:
        """Why the run is to stop, or None."""
        return self._cancel_reason

    def emit(self, event: str, data: dict[str, Any], node: str | None = None, branch: str | None = None) -> None:
        """Records an event; `node` None for events of the run itself."""
        if self._is_forked():
            return
        if self.before_event is not None:
            self.before_event()
        self.record({"event": event, "data": data} if node is None else _of_node(event, data, node, branch))

    def log(self, level: str, stream: str, logger: str | None, line: str, node: str | None, branch: str | None) -> None:
        """Records a log line, unless a cap is reached."""
        if self._is_forked():
            return
        if self.before_event is not None:
            self.before_event()
        self.record(log_event(level, stream, logger, line, node, branch))

    def _is_forked(self) -> bool:
        """True in a child that a node has forked: the run is not its own, and the lock may be held for ever."""
        return os.getpid() != self._pid

    def record(self, body: Event, at: str | None = None) -> None:
        """Numbers and writes an event."""
        with interrupts.shield(), self._lock:
            if self._closed:
                return
            if body["event"] == "log":
                at = at or clock.now()
                admitted = self._log.admit(body, at)
                if self._whole is not None:
                    self._whole.add(body, at, admitted)
                if not admitted:
                    return
            elif body["event"] == "node.started":
                self.nodes_started += 1
            elif body["event"] == "node.failed" and self.first_failure is None:
                self.first_failure = body["data"]["error"]
            self._write(body, at or clock.now())

    def close(self) -> int:
        """Writes the tail of the log, refuses further events, and returns how many there were."""
        with interrupts.shield(), self._lock:
            dropped, kept = self._log.rest()
            if dropped is not None:
                self._write({"event": "log.dropped", "data": dropped}, clock.now())
            for body, at in kept:
                self._write(body, at)
            if self._whole is not None:
                self.whole_log = self._whole.close(dropped is not None)
            self._closed = True
            return self.count

    def _write(self, body: Event, at: str) -> None:
        self.count += 1
        message = {"v": VERSION, "type": "event", "run": self.run, "seq": self.count, "at": at, "body": body}
        self._channel.send_line(self.mask.hide(encode(message)))


def log_event(
    level: str, stream: str, logger: str | None, line: str, node: str | None, branch: str | None
) -> dict[str, Any]:
    """A log line as the protocol has it, cut at its cap."""
    data = {"level": level, "stream": stream, "logger": logger, "text": _cut(clean(line))}
    return {"event": "log", "node": node, "branch": branch, "data": data}


def _of_node(event: str, data: dict[str, Any], node: str, branch: str | None) -> Event:
    return {"event": event, "node": node, "branch": branch, "data": data}


def _cut(line: str) -> str:
    if len(line) * 4 <= MAX_LINE_BYTES:
        return line
    encoded = line.encode()
    if len(encoded) <= MAX_LINE_BYTES:
        return line
    note = f"… [{len(encoded) - MAX_LINE_BYTES} more bytes]"
    return encoded[: MAX_LINE_BYTES - len(note.encode())].decode(errors="ignore") + note


class _LogBudget:
    """Keeps a run's log within its caps: the head goes through, of the rest the last lines are kept."""

    def __init__(self) -> None:
        self._lines = 0
        self._bytes = 0
        self._tail: deque[tuple[Event, str, int]] = deque()
        self._tail_bytes = 0
        self._dropped_lines = 0
        self._dropped_bytes = 0

    def admit(self, body: Event, at: str) -> bool:
        size = len(body["data"]["text"].encode(errors="replace"))
        if not self._tail and self._lines < HEAD_LINES and self._bytes + size <= HEAD_BYTES:
            self._lines += 1
            self._bytes += size
            return True
        self._tail.append((body, at, size))
        self._tail_bytes += size
        while len(self._tail) > TAIL_LINES or self._tail_bytes > TAIL_BYTES:
            _, _, left_out = self._tail.popleft()
            self._tail_bytes -= left_out
            self._dropped_bytes += left_out
            self._dropped_lines += 1
        return False

    def rest(self) -> tuple[dict[str, Any] | None, list[tuple[Event, str]]]:
        """What was dropped, when anything was, and the lines that are still to be written."""
        kept = [(body, at) for body, at, _ in self._tail]
        self._tail.clear()
        if self._dropped_lines == 0:
            return None, kept
        limit = f"the first {HEAD_LINES} lines (at most 4 MB) and the last {TAIL_LINES} (at most 1 MB) are kept"
        return {"lines": self._dropped_lines, "bytes": self._dropped_bytes, "reason": limit}, kept
