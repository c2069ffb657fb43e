"""How the processes of a process pool tell what their nodes do.

Descriptor 4 has one writer, so that events are numbered in order. A pool's process sends each event as one datagram to
a socket in a private folder; the runtime fetches them before it records anything of its own. A socket with a path works
however the process was started (fork, forkserver, spawn).
"""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from typing import Any

from . import clock
from .run_events import RunEvents, log_event

_BUFFER_BYTES = 1024 * 1024
_DATAGRAM_BYTES = 200 * 1024


class Relay:
    """The receiving end, one per run that has a pool."""

    def __init__(self, events: RunEvents) -> None:
        self._events = events
        parent = tempfile.gettempdir()
        # A socket's path may have about 100 characters.
        self.folder = tempfile.mkdtemp(prefix="fpjq-", dir=parent if len(parent) < 60 else "/tmp")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self._socket.setblocking(False)
        self._socket.bind(_address(self.folder))
        self._lock = threading.RLock()
        self._stop_reader, self._stop_writer = os.pipe()
        self._thread = threading.Thread(target=self._read, name="flowerpower-job-queue-relay", daemon=True)
        self._thread.start()

    def cancel(self, reason: str) -> None:
        """Tells the pool's processes to stop at their next node."""
        with open(_cancel_file(self.folder) + ".new", "w") as file:
            file.write(reason)
        os.rename(_cancel_file(self.folder) + ".new", _cancel_file(self.folder))

    def fetch(self) -> None:
        """Records what has arrived."""
        with self._lock:
            while True:
                try:
                    datagram = self._socket.recv(_BUFFER_BYTES)
                except OSError:
                    return
                body = json.loads(datagram)
                at = body.pop("at")
                self._events.record(body, at)

    def close(self) -> None:
        """Fetches the rest and takes the socket away; who sends later sends into nothing."""
        os.write(self._stop_writer, b"x")
        self._thread.join()
        self.fetch()
        self._socket.close()
        os.close(self._stop_reader)
        os.close(self._stop_writer)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self) -> None:
        while True:
            readable, _, _ = select.select([self._socket, self._stop_reader], [], [])
            if self._stop_reader in readable:
                return
            self.fetch()


class RelaySender:
    """The sending end, inside a pool's process. Events that cannot be sent are lost; the node goes on."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)

    def emit(self, event: str, data: dict[str, Any], node: str | None = None, branch: str | None = None) -> None:
        """Sends an event of a node."""
        body = {"event": event, "node": node, "branch": branch, "data": data}
        payload = _encode(body)
        if len(payload) > _DATAGRAM_BYTES and event == "node.failed":
            error = {**data["error"], "traceback": None, "message": data["error"]["message"][:1000]}
            payload = _encode({**body, "data": {**data, "error": error, "inputs": {}}})
        self._send(payload)

    def log(self, level: str, stream: str, logger: str | None, line: str, node: str | None, branch: str | None) -> None:
        """Sends a log line."""
        self._send(_encode(log_event(level, stream, logger, line, node, branch)))

    def cancel_reason(self) -> str | None:
        """Why the run is to stop, or None. One look at the file system for each node."""
        try:
            with open(_cancel_file(self._folder)) as file:
                return file.read()
        except OSError:
            return None

    def _send(self, payload: bytes) -> None:
        with suppress(OSError):
            self._socket.sendto(payload, _address(self._folder))


_senders: dict[tuple[int, str], RelaySender] = {}


def sender_to(folder: str) -> RelaySender:
    """The sender of this process to the folder; made anew in a forked process."""
    key = (os.getpid(), folder)
    if key not in _senders:
        _senders.clear()
        _senders[key] = RelaySender(folder)
    return _senders[key]


def _encode(body: dict[str, Any]) -> bytes:
    return json.dumps({**body, "at": clock.now()}).encode()


def _address(folder: str) -> str:
    return os.path.join(folder, "events")


def _cancel_file(folder: str) -> str:
    return os.path.join(folder, "cancelled")
