"""Whether two values are equal, told by a hash.

Hamilton's own hashes take a frame for the one with its columns renamed, `1` for `"1"`, and do not look below six
levels: with them a node would be given another node's value. These take the type, the names and all of the content,
and rather tell equal values apart (the node runs once more) than take different ones for equal.
"""

from __future__ import annotations

import hashlib
import pickle
import struct
import sys
import types
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from hamilton.caching import fingerprinting

_SIZE = 20


def fingerprint(value: Any, code: Mapping[str, str]) -> str | None:
    """The hash of a value; None when it cannot be told. `code`: hashes of the project's files, by path."""
    digest = hashlib.blake2b(digest_size=_SIZE)
    try:
        _Feed(digest, code).value(value)
    except Exception:  # Pickling runs the value's own code.
        return None
    return digest.hexdigest()


@contextmanager
def in_hamilton(code: Mapping[str, str]) -> Generator[None]:
    """Hamilton's cache hashes like this, but for types for which somebody else has registered a function."""
    known = dict(fingerprinting.hash_value.registry)
    install(code)
    try:
        yield
    finally:
        for kind, function in known.items():
            fingerprinting.hash_value.register(kind, function)


def install(code: Mapping[str, str]) -> None:
    """The same for the rest of this process."""

    def versioned(obj: Any, *_args: Any, **_kwargs: Any) -> str:
        # What cannot be compared is like nothing else.
        return fingerprint(obj, code) or f"unique-{uuid.uuid4().hex}"

    for kind, function in list(fingerprinting.hash_value.registry.items()):
        if function.__module__.partition(".")[0] in ("hamilton", __name__.partition(".")[0]):
            fingerprinting.hash_value.register(kind, versioned)


class _Feed:
    """Feeds values into a hash, each with its type and length, so that no two sequences of values look alike."""

    def __init__(self, digest: Any, code: Mapping[str, str]) -> None:
        self._digest = digest
        self._code = code

    def value(self, value: Any) -> None:
        kind = type(value)
        if value is None or kind in (bool, int, float, complex):
            self._bytes(kind.__name__, repr(value).encode())
        elif kind is str:
            self._bytes("str", value.encode(errors="surrogatepass"))
        elif kind in (bytes, bytearray):
            self._bytes(kind.__name__, bytes(value))
        elif kind in (list, tuple):
            self._bytes(kind.__name__, struct.pack("<q", len(value)))
            for item in value:
                self.value(item)
        elif kind is dict:
            self._bytes("dict", struct.pack("<q", len(value)))
            for key, item in value.items():
                self.value(key)
                self.value(item)
        elif kind in (set, frozenset):
            self._bytes(kind.__name__, b"".join(sorted(self._apart(item) for item in value)))
        elif _is_array(value):
            self._bytes("ndarray", repr((value.dtype.descr, value.shape)).encode())
            self._bytes("data", value.tobytes())
        else:
            self._pickled(value)

    def _apart(self, value: Any) -> bytes:
        digest = hashlib.blake2b(digest_size=_SIZE)
        _Feed(digest, self._code).value(value)
        return digest.digest()

    def _bytes(self, kind: str, content: bytes | memoryview) -> None:
        self._digest.update(kind.encode() + b"\0" + struct.pack("<q", len(content)))
        self._digest.update(content)

    def _pickled(self, value: Any) -> None:
        kind = type(value)
        self._bytes("pickle", f"{kind.__module__}.{kind.__qualname__}".encode())
        buffers: list[pickle.PickleBuffer] = []
        pickler = _CodePickler(self, self._code, buffers)
        pickler.dump(value)
        for buffer in buffers:
            self._bytes("buffer", buffer.raw())

    def write(self, content: Any) -> int:
        """The pickler's file."""
        self._digest.update(content)
        return len(content)


class _CodePickler(pickle.Pickler):
    """A class or function is pickled by its name: here the file that it is from counts too."""

    def __init__(self, feed: _Feed, code: Mapping[str, str], buffers: list[pickle.PickleBuffer]) -> None:
        super().__init__(feed, protocol=5, buffer_callback=buffers.append)
        self._feed = feed
        self._code = code

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, (type, types.FunctionType)):
            file = getattr(sys.modules.get(obj.__module__), "__file__", None)
            if isinstance(file, str) and file in self._code:
                self._feed.write(self._code[file].encode())
        return _without_cache(obj) if isinstance(getattr(obj, "_cache", None), dict) else NotImplemented


def _without_cache(obj: Any) -> Any:
    """What pandas has worked out of arrays and types, and keeps with them, is no part of a value."""
    if type(obj).__module__.partition(".")[0] != "pandas":
        return NotImplemented
    reduced = obj.__reduce_ex__(5)
    if not isinstance(reduced, tuple) or len(reduced) < 3 or not isinstance(reduced[2], dict):
        return NotImplemented
    state = {name: value for name, value in reduced[2].items() if name != "_cache"}
    return (*reduced[:2], state, *reduced[3:])


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is numpy.ndarray and not value.dtype.hasobject
