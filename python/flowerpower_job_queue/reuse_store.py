"""What nodes have computed, kept in files of a private folder, for later runs.

    folder/shared/NODE/KEY        what every job may use (`full`)
    folder/job_…/NODE/KEY         what a job has stored or used: its later attempts and reruns may use it (`resume`)

An entry is one file: the pickled value, a JSON trailer that says what it is, and the trailer's length. It is written
under another name and renamed, so that readers of any process see all of it or nothing. The worker takes old ones away.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pickle
import re
import shutil
import stat
import struct
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

SHARED = "shared"
_MAGIC = b"FPQR1"
_TAIL = struct.Struct("<q5s")
_MOST_EARLIER = 20


class NotPrivate(OSError):
    """The folder is somebody else's, or open to others: what lies there must not be unpickled."""


class TooLarge(ValueError):
    """A value beyond the limit of one entry."""


@dataclass(frozen=True)
class Entry:
    """What is known of a stored value."""

    node: str
    branch: str | None
    code: str
    # Versions of what the node was called with, by name.
    inputs: dict[str, str]
    version: str
    job: str
    attempt: int
    # Why there is no value: it could not be pickled, it was too large.
    omitted: str | None
    digest: str = ""
    bytes: int = 0


class ReuseStore:
    """One project's folder. Whatever is wrong with it is raised as OSError, for the caller to shrug off."""

    def __init__(self, folder: str, max_entry_bytes: int, min_free_bytes: int) -> None:
        self.folder = folder
        self.max_entry_bytes = max_entry_bytes
        self.min_free_bytes = min_free_bytes

    def open(self) -> None:
        """Makes the folder, or refuses one that others can write into: pickles are code."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        found = os.stat(self.folder)
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise NotPrivate(f"{self.folder} must belong to this user alone (mode 0700)")

    def find(self, scopes: tuple[str, ...], key: str) -> tuple[str, Entry] | None:
        """The entry of a key in the first scope that has one, with its file."""
        for scope in scopes:
            path = self._path(scope, key)
            entry = _entry_at(path)
            if entry is not None:
                return path, entry
        return None

    def load(self, path: str, entry: Entry) -> Any:
        """The value. Raises when the file is not what was written."""
        with open(path, "rb") as file:
            payload = file.read(entry.bytes)
        if hashlib.blake2b(payload, digest_size=20).hexdigest() != entry.digest:
            raise OSError(f"{path} is damaged")
        value = pickle.loads(payload)
        with contextlib.suppress(OSError):
            os.utime(path)  # What is used is kept.
        return value

    def save(self, scopes: tuple[str, ...], key: str, entry: Entry, value: Any) -> None:
        """Writes an entry into each of the scopes."""
        if shutil.disk_usage(self.folder).free < self.min_free_bytes:
            raise OSError(f"less than {self.min_free_bytes // 2**20} MB are free in {self.folder}")
        temporary = self._temporary()
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                writer = _Writer(file, self.max_entry_bytes)
                if entry.omitted is None:
                    pickle.Pickler(writer, protocol=5).dump(value)
                told = {**asdict(entry), "digest": writer.digest.hexdigest(), "bytes": writer.count}
                trailer = json.dumps(told).encode()
                file.write(trailer + _TAIL.pack(len(trailer), _MAGIC))
            for scope in scopes[:-1]:
                self._link(temporary, scope, key)
            self._move(temporary, self._path(scopes[-1], key))
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary)

    def share(self, path: str, scope: str, key: str) -> None:
        """Makes what was found in one scope part of another, without a copy."""
        if path != self._path(scope, key):
            self._link(path, scope, key)

    def remove(self, path: str) -> None:
        """Takes away an entry that cannot be used."""
        with contextlib.suppress(OSError):
            os.unlink(path)

    def earlier(self, scopes: tuple[str, ...], key: str, node: str) -> Iterator[Entry]:
        """What is stored of the same node under other keys, newest first: why this one was not found."""
        found: list[tuple[float, str]] = []
        for scope in scopes:
            with contextlib.suppress(OSError), os.scandir(os.path.dirname(self._path(scope, key))) as entries:
                found.extend((entry.stat().st_mtime, entry.path) for entry in entries)
        for _, path in sorted(found, reverse=True)[:_MOST_EARLIER]:
            entry = _entry_at(path)
            if entry is not None and entry.node == node:
                yield entry

    def _path(self, scope: str, key: str) -> str:
        # Hamilton's key begins with the node's name, letters and digits only.
        node = key.partition("-")[0][:100]
        return os.path.join(self.folder, _safe(scope), node or "_", hashlib.sha256(key.encode()).hexdigest()[:40])

    def _link(self, source: str, scope: str, key: str) -> None:
        step = self._temporary()
        try:
            os.link(source, step)
        except OSError:
            # A file system without hard links.
            shutil.copyfile(source, step)
        self._move(step, self._path(scope, key))

    def _move(self, source: str, target: str) -> None:
        for _ in range(3):
            try:
                os.replace(source, target)
                return
            except FileNotFoundError:
                # Not there yet, or taken away while it was empty.
                os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        os.replace(source, target)

    def _temporary(self) -> str:
        return os.path.join(self.folder, f"{uuid.uuid4().hex}.tmp")


def _entry_at(path: str) -> Entry | None:
    try:
        with open(path, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - _TAIL.size))
            length, magic = _TAIL.unpack(file.read(_TAIL.size))
            if magic != _MAGIC or not 0 < length <= end - _TAIL.size:
                return None
            file.seek(end - _TAIL.size - length)
            return Entry(**json.loads(file.read(length)))
    except (OSError, ValueError, TypeError, struct.error):
        return None


def _safe(scope: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]{1,64}", scope):
        raise OSError(f"{scope!r} is no name of a scope")
    return scope


class _Writer:
    """A file that counts and hashes what goes into it, up to a limit."""

    def __init__(self, file: Any, limit: int) -> None:
        self._file = file
        self._limit = limit
        self.count = 0
        self.digest = hashlib.blake2b(digest_size=20)

    def write(self, content: Any) -> int:
        size = len(memoryview(content).cast("B")) if not isinstance(content, bytes) else len(content)
        self.count += size
        if self.count > self._limit:
            raise TooLarge(f"more than {self._limit // 2**20} MB")
        self.digest.update(content)
        return self._file.write(content)
