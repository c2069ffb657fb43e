"""Where artifacts are kept: a local folder, or whatever fsspec reaches by a URL.

A file is written under a temporary name and renamed: what has its final name is whole. Paths are relative, made by us,
and the same in every store.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

# Says which store this is: two hosts that read the same words share it.
MARKER = "store-id"
_PATH = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


class StoreError(Exception):
    """The store cannot be used; the message says why in a few words."""


class Store(Protocol):
    """Files under relative paths."""

    def put(self, file: Path, path: str) -> None:
        """Takes a finished local file (it may be moved) under the path."""
        ...

    def read(self, path: str, start: int, end: int) -> bytes:
        """The bytes from `start` up to before `end`. Raises FileNotFoundError when the file is gone."""
        ...

    def remove(self, folder: str) -> None:
        """Removes a file or a folder with all that is in it; one that is not there is removed already."""
        ...

    def names(self, folder: str) -> list[str]:
        """What lies in a folder, sorted; nothing when it does not exist."""
        ...

    def identity(self, create: bool) -> str | None:
        """The id that its marker holds; None when it has none and none is to be made."""
        ...

    def free_bytes(self) -> int | None:
        """Room that is left; None where nobody knows."""
        ...


def open_store(url: str) -> Store:
    """Opens the store, or raises StoreError."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return LocalStore(Path(unquote(parts.path)))
    try:
        return FsspecStore(url)
    except Exception as error:
        raise StoreError(f"{url} cannot be opened: {_told(error)}") from error


def checked_path(path: str) -> str:
    """The path, when it is one that we could have made."""
    if not _PATH.fullmatch(path) or any(set(part) == {"."} for part in path.split("/")):
        raise StoreError(f"{path!r} is no path of a store")
    return path


class LocalStore:
    """A folder, readable by its owner only."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, file: Path, path: str) -> None:
        """See Store."""
        target = self._root / checked_path(path)
        self._make_folder(target.parent)
        os.chmod(file, 0o600)
        try:
            os.replace(file, target)
        except OSError:
            # On another file system: copied beside its place, then renamed.
            unfinished = target.with_name(f".{uuid.uuid4().hex}")
            shutil.copyfile(file, unfinished)
            os.chmod(unfinished, 0o600)
            os.replace(unfinished, target)

    def read(self, path: str, start: int, end: int) -> bytes:
        """See Store."""
        with open(self._root / checked_path(path), "rb") as file:
            file.seek(start)
            return file.read(end - start)

    def remove(self, folder: str) -> None:
        """See Store."""
        path = self._root / checked_path(folder)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def names(self, folder: str) -> list[str]:
        """See Store."""
        path = self._root / checked_path(folder) if folder else self._root
        return sorted(os.listdir(path)) if path.is_dir() else []

    def identity(self, create: bool) -> str | None:
        """See Store."""
        marker = self._root / MARKER
        if create and not marker.exists():
            self._make_folder(self._root)
            unfinished = marker.with_name(f".{uuid.uuid4().hex}")
            unfinished.write_text(str(uuid.uuid4()))
            try:
                os.link(unfinished, marker)  # Whoever was first has made it.
            except FileExistsError:
                pass
            finally:
                unfinished.unlink()
        return marker.read_text().strip() if marker.exists() else None

    def free_bytes(self) -> int | None:
        """See Store."""
        folder = next((one for one in (self._root, *self._root.parents) if one.exists()), Path("/"))
        return shutil.disk_usage(folder).free

    def _make_folder(self, folder: Path) -> None:
        missing = [one for one in (folder, *folder.parents) if not one.exists()]
        for one in reversed(missing):
            one.mkdir(mode=0o700, exist_ok=True)


class FsspecStore:
    """Any file system that fsspec knows: `s3://bucket/folder`, `memory://folder`, `sftp://host/folder`."""

    def __init__(self, url: str) -> None:
        import fsspec.core

        self._fs, root = fsspec.core.url_to_fs(url)
        self._root = str(root).rstrip("/")

    def put(self, file: Path, path: str) -> None:
        """See Store."""
        target = self._at(path)
        folder, _, name = target.rpartition("/")
        unfinished = f"{folder}/.{uuid.uuid4().hex}.{name}"
        try:
            self._fs.put_file(str(file), unfinished)
        except (FileNotFoundError, NotADirectoryError):
            # A file system with folders. Not asked for before: with S3 it would be a request, or a new bucket.
            self._fs.makedirs(folder, exist_ok=True)
            self._fs.put_file(str(file), unfinished)
        self._fs.mv(unfinished, target)

    def read(self, path: str, start: int, end: int) -> bytes:
        """See Store."""
        return self._fs.cat_file(self._at(path), start=start, end=end)

    def remove(self, folder: str) -> None:
        """See Store."""
        self._fs.invalidate_cache()
        with suppress(FileNotFoundError):
            self._fs.rm(self._at(folder), recursive=True)

    def names(self, folder: str) -> list[str]:
        """See Store."""
        self._fs.invalidate_cache()
        try:
            found = self._fs.ls(self._at(folder) if folder else self._root, detail=False)
        except FileNotFoundError:
            return []
        return sorted({str(one).rstrip("/").rpartition("/")[2] for one in found} - {""})

    def identity(self, create: bool) -> str | None:
        """See Store."""
        marker = f"{self._root}/{MARKER}"
        self._fs.invalidate_cache()
        if create and not self._fs.exists(marker):
            value = str(uuid.uuid4()).encode()
            try:
                self._fs.pipe_file(marker, value, mode="create")
            except FileExistsError:
                pass
            except FileNotFoundError:
                self._fs.makedirs(self._root, exist_ok=True)
                self._fs.pipe_file(marker, value)
        try:
            return self._fs.cat_file(marker).decode().strip()
        except FileNotFoundError:
            return None

    def free_bytes(self) -> int | None:
        """See Store."""
        return None

    def _at(self, path: str) -> str:
        return f"{self._root}/{checked_path(path)}"


def answer(store: Store, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """One request of the process that has opened the store; see `store_server`."""
    if operation == "identity":
        return {"id": store.identity(bool(request["create"]))}
    if operation == "read":
        data = store.read(request["path"], int(request["start"]), int(request["end"]))
        return {"data": base64.b64encode(data).decode()}
    if operation == "remove":
        for path in request["paths"]:
            store.remove(path)
        return {}
    if operation == "names":
        return {"names": store.names(request["folder"])}
    raise StoreError(f"unknown operation {operation!r}")


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
