"""The whole text of a run's log, for the case that not all of it fits into its events."""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

# Of a run that prints without end the beginning is kept.
MAX_BYTES = 1024 * 1024 * 1024


class WholeLog:
    """Lines are kept in memory as long as all of them are events, and in a compressed file from then on.

    The memory is bounded by what goes through as the head of the log. A file that cannot be written is given up: a full
    disk fails no run.
    """

    def __init__(self, folder: str, mask: Callable[[str], str]) -> None:
        self._folder = Path(folder)
        self._mask = mask
        self._head: list[bytes] = []
        self._path: Path | None = None
        self._file: gzip.GzipFile | None = None
        self._bytes = 0

    def add(self, body: dict[str, Any], at: str, is_event: bool) -> None:
        """A line, which goes through as an event at once or may be left out later."""
        branch = f"/{body['branch']}" if body["branch"] else ""
        text = self._mask(body["data"]["text"])
        line = f"{at} {body['data']['level']} {body['node'] or '-'}{branch} {text}\n".encode(errors="replace")
        if is_event and self._path is None:
            self._head.append(line)
            return
        try:
            if self._path is None:
                self._open()
            self._write(line)
        except OSError:
            self.discard()

    def close(self, is_needed: bool) -> Path | None:
        """The finished file, when lines were left out of the events and the file could be written."""
        if not is_needed or self._file is None:
            self.discard()
            return None
        try:
            self._file.close()
        except OSError:
            self.discard()
            return None
        self._file = None
        return self._path

    def discard(self) -> None:
        """Gives the file up."""
        self._head.clear()
        if self._file is not None:
            file, self._file = self._file, None
            with suppress(OSError):
                file.close()
            if self._path is not None:
                self._path.unlink(missing_ok=True)

    def _open(self) -> None:
        self._path = self._folder / f"{uuid.uuid4().hex}.log.gz"
        self._file = gzip.open(self._path, "xb", compresslevel=1)  # noqa: SIM115 (open as long as the run)
        for line in self._head:
            self._write(line)
        self._head.clear()

    def _write(self, line: bytes) -> None:
        if self._file is None or self._bytes >= MAX_BYTES:
            return
        self._bytes += len(line)
        self._file.write(line)
        if self._bytes >= MAX_BYTES:
            self._file.write(b"the log is longer, and is not kept from here on\n")
