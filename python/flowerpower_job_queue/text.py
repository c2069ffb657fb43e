"""Text that Postgres and JSON can take: no NUL, no lone surrogates, no endless lines, no resolved secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
HIDDEN = "*****"


def clean(text: str) -> str:
    """Replaces NUL characters and lone surrogates, which Postgres refuses."""
    return _UNSTORABLE.sub(_REPLACEMENT, text)


def is_storable(text: str) -> bool:
    """False for text that would have to be changed to be stored."""
    return _UNSTORABLE.search(text) is None


def clean_deep(value: Any) -> Any:
    """`clean` for every string and key of a JSON value."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): clean_deep(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_deep(item) for item in value]
    return value


def shorten(text: str, limit: int) -> str:
    """Cuts at `limit` characters and says so."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [{len(text) - limit} more characters]"


def shorten_middle(text: str, limit: int) -> str:
    """Keeps the beginning and the end: in a traceback both matter, the middle seldom does."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… [{len(text) - 2 * half} characters left out] …\n{text[-half:]}"


def one_line(text: str, limit: int) -> str:
    """The text on one line, whitespace collapsed, cut at `limit` characters."""
    return shorten(" ".join(text[: limit * 4].split()), limit)


def encode(message: dict[str, Any]) -> bytes:
    """One protocol line. Text is cleaned only when there is something to clean: seldom, and this is the hot path."""
    with suppress(UnicodeEncodeError):
        line = _to_json(message)
        if b"\\u0000" not in line:
            return line + b"\n"
    return _to_json(clean_deep(message)) + b"\n"


def _to_json(message: Any) -> bytes:
    """By msgspec, which FlowerPower brings: a fifth of the time, and text comes out the same byte for byte."""
    if _msgspec_encode is not None:
        # A subclass of a plain type (`numpy.str_`) is one that only `json` takes.
        with suppress(TypeError):
            return _msgspec_encode(message)
    return _json_encode(message).encode()


_json_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_msgspec_encode: Callable[[Any], bytes] | None
try:
    import msgspec
except ImportError:  # Where FlowerPower is missing, which is said as a message too.
    _msgspec_encode = None
else:
    _msgspec_encode = msgspec.json.Encoder().encode


# What a message is made of: a secret that happens to be called like a node must not change the message itself.
_STRUCTURE = frozenset(
    (
        *("v", "type", "run", "at", "event", "node", "branch", "kind", "classes", "file", "stream", "level"),
        *("logger", "outcome", "codeHash", "path", "finalVars", "nodes", "name", "module", "sha256"),
    )
)


class Mask:
    """Hides secrets that were resolved from the environment, in whatever a run says about itself."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: a secret may be part of another one.
        self._secrets = sorted(set(secrets), key=len, reverse=True)
        self._escaped = [
            json.dumps(secret, ensure_ascii=False)[1:-1].encode(errors="replace") for secret in self._secrets
        ]

    def hide(self, line: bytes) -> bytes:
        """The encoded message with each secret replaced in what it tells, never in what it is made of."""
        if not any(secret in line for secret in self._escaped):
            return line
        return encode(self._hidden(json.loads(line), None))

    def hide_text(self, text: str) -> str:
        """Plain text with each secret replaced."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def _hidden(self, value: Any, key: str | None) -> Any:
        if isinstance(value, dict):
            return {name: self._hidden(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self._hidden(item, key) for item in value]
        if isinstance(value, str) and key not in _STRUCTURE:
            return self.hide_text(value)
        return value
