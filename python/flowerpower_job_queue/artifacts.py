"""Keeps what a run has made: results that are no small JSON, files left in its folder, a log that was cut.

It happens when the end of the run is known, in a thread that can be left behind: a cancel or a limit of time ends the
waiting at once, and what was not kept by then says so. Nothing here fails a run.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
import shutil
import stat
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .artifact_formats import Format, NotKept, format_of, refuse_size, size_text
from .artifact_store import Store, StoreError, open_store
from .protocol import ArtifactsRequest
from .text import clean, one_line

THREAD = "flowerpower-job-queue-artifacts"
_PIECE = 1024 * 1024
_LOOK_S = 0.02
_CANCELLED_LIMIT_S = 2.0

# Endings that Python's own table does not have, or has under different names in different versions.
_MEDIA_TYPES = mimetypes.MimeTypes(filenames=())
for _ending, _type in {
    ".parquet": "application/vnd.apache.parquet",
    ".arrow": "application/vnd.apache.arrow.file",
    ".npy": "application/x-npy",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".csv": "text/csv",
    ".log": "text/plain",
    ".gz": "application/gzip",
    ".zst": "application/zstd",
}.items():
    _MEDIA_TYPES.add_type(_type, _ending)
_MEDIA_TYPES.encodings_map = {}


@dataclass
class _Task:
    """Something to keep. `told` is the message's object, to which what became of it is written."""

    told: dict[str, Any]
    name: str
    make: Callable[[], Format]
    done: bool = False


class Artifacts:
    """What one run keeps. Made at its end."""

    def __init__(self, request: ArtifactsRequest, mask: Callable[[str], str] = lambda text: text) -> None:
        self._request = request
        self._mask = mask
        self._tasks: list[_Task] = []
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._broken: str | None = None
        self._stored_bytes = 0
        self._left_behind = False
        # It was asked to stop when its run had ended already.
        self.was_stopped = False

    def add_results(self, results: dict[str, Any], told: dict[str, dict[str, Any]]) -> None:
        """Values that are not kept inline."""
        for index, (name, value) in enumerate(results.items()):
            if name in told and "value" not in told[name]:
                make = _formatter(value, self._request.max_bytes)
                self._tasks.append(_Task(told[name], f"result-{index + 1}-{_slug(name)}", make))

    def add_files(self, folder: str) -> list[dict[str, Any]]:
        """Files that the run has left in its folder, in the order of their names."""
        told: list[dict[str, Any]] = []
        for index, path in enumerate(files_in(Path(folder))):
            name = clean(str(path.relative_to(folder)).encode(errors="surrogateescape").decode(errors="replace"))
            one: dict[str, Any] = {"name": name, "artifact": None, "omitted": None}
            told.append(one)
            if index < self._request.max_files:
                make = _reader(path, self._request.max_bytes)
                self._tasks.append(_Task(one, f"file-{index + 1}", make))
            else:
                one["omitted"] = f"not kept: more than {self._request.max_files} files"
        # A folder of a million files is told by its first ones.
        return told[: self._request.max_files * 2]

    def add_log(self, file: Path) -> dict[str, Any]:
        """The whole log, compressed."""
        told: dict[str, Any] = {"name": "log", "artifact": None, "omitted": None}
        self._tasks.append(_Task(told, "log", lambda: _log(file, self._request.max_bytes)))
        return told

    def store(self, is_cancelled: Callable[[], bool]) -> tuple[float, bool]:
        """Keeps all of it, within the limits. Returns how many ms that took, and whether a thread was left behind."""
        if not self._tasks:
            return 0.0, False
        began = time.monotonic()
        # Of a run that was cancelled only what is quickly done is kept: its log, and what it left.
        was_cancelled = is_cancelled()
        limit_s = _CANCELLED_LIMIT_S if was_cancelled else self._request.timeout_ms / 1000
        thread = threading.Thread(target=self._work, name=THREAD, daemon=True)
        thread.start()
        reason = f"not kept: keeping artifacts took longer than {limit_s:g} s"
        while thread.is_alive():
            thread.join(_LOOK_S)
            if not was_cancelled and is_cancelled():
                reason = "not kept: the job was stopped before it was stored"
                self.was_stopped = True
                break
            if time.monotonic() - began > limit_s:
                break
        with self._lock:
            self._left_behind = thread.is_alive()
            for task in self._tasks:
                if not task.done:
                    task.told.update(artifact=None, omitted=reason)
        return (time.monotonic() - began) * 1000, self._left_behind

    def _work(self) -> None:
        for task in self._tasks:
            try:
                artifact, omitted = self._keep(task), None
            except (NotKept, StoreError) as reason:
                artifact, omitted = None, str(reason)
            except BaseException as error:
                artifact, omitted = None, f"not kept: {type(error).__name__}: {error}"
            with self._lock:
                if self._left_behind:
                    return
                shown = None if omitted is None else one_line(clean(self._mask(omitted)), 400)
                task.told.update(artifact=artifact, omitted=shown)
                task.done = True

    def _keep(self, task: _Task) -> dict[str, Any]:
        if self._broken is not None:
            raise NotKept(self._broken)
        self._refuse_full_disk()
        made = task.make()
        file = Path(self._request.scratch_dir) / uuid.uuid4().hex
        try:
            with open(file, "xb") as stream:
                made.write(stream)
            size = file.stat().st_size
            refuse_size(size, self._request.max_bytes)
            if self._stored_bytes + size > self._request.max_total_bytes:
                raise NotKept(f"not kept: a run keeps at most {size_text(self._request.max_total_bytes)}")
            with open(file, "rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            path = f"{self._request.folder}/{task.name}.{made.ending}"
            self._put(file, path)
        finally:
            file.unlink(missing_ok=True)
        self._stored_bytes += size
        return {
            "path": path,
            "mediaType": made.media_type,
            "bytes": size,
            "sha256": sha256,
            "schema": made.schema,
            "preview": made.preview,
        }

    def _put(self, file: Path, path: str) -> None:
        with self._lock:
            if self._left_behind:
                raise NotKept("not kept: too late")
        try:
            if self._store is None:
                self._store = open_store(self._request.url)
            self._store.put(file, path)
        except Exception as error:
            # Away for one is away for all: the others don't wait for it too.
            self._broken = f"not kept: the artifact store did not take it: {type(error).__name__}: {error}"
            raise NotKept(self._broken) from error

    def _refuse_full_disk(self) -> None:
        free = [shutil.disk_usage(self._request.scratch_dir).free]
        if self._request.url.startswith("file:"):
            free.append(open_store(self._request.url).free_bytes() or free[0])
        if min(free) < self._request.min_free_bytes:
            left, limit = size_text(min(free)), size_text(self._request.min_free_bytes)
            raise NotKept(f"not kept: only {left} of disk are free, of which {limit} stay free")


def files_in(folder: Path) -> list[Path]:
    """The regular files below a folder. Links are not followed: they lead to what the run has not made."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        paths = (Path(parent) / name for name in names)
        found.extend(path for path in paths if stat.S_ISREG(path.lstat().st_mode))
    return sorted(found)


def media_type_of(name: str) -> str:
    """By the ending."""
    return _MEDIA_TYPES.guess_type(name)[0] or "application/octet-stream"


def _formatter(value: Any, max_bytes: int) -> Callable[[], Format]:
    return lambda: format_of(value, max_bytes)


def _reader(path: Path, max_bytes: int) -> Callable[[], Format]:
    return lambda: _file(path, max_bytes)


def _file(path: Path, max_bytes: int) -> Format:
    refuse_size(path.lstat().st_size, max_bytes)
    ending = re.sub(r"[^A-Za-z0-9]", "", path.suffix)[:10] or "bin"
    return Format(ending, media_type_of(path.name), lambda target: _copy(path, target, max_bytes))


def _copy(path: Path, target: IO[bytes], max_bytes: int) -> None:
    # Without following: between the look and the opening it may have become a link.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as source:
        copied = 0
        while piece := source.read(_PIECE):
            copied += len(piece)
            refuse_size(copied, max_bytes)  # It may still grow.
            target.write(piece)


def _log(file: Path, max_bytes: int) -> Format:
    return Format("gz", "application/gzip", lambda target: _copy(file, target, max_bytes))


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)[:60]
