"""Where a value of a run's configuration comes from, and what stands for it when the value has to stay here.

A value that is resolved from the environment, by `${…}` or by an overlay, never leaves this process: in its place
stands the text that refers to it, and a keyed hash, so that two runs can be compared without knowing it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from .configuration import Document, has_reference, publish
from .overlays import Overlays
from .text import clean

REQUEST = "request"
CODE = "code"
DEFAULT = "FlowerPower default"


@dataclass(frozen=True)
class Origin:
    """The source of a value: `request`, `environment NAME`, a file, `code`, or FlowerPower's default."""

    source: str
    # The text that refers to the value: `${WAREHOUSE_URL}`. None when the value itself may be told.
    reference: str | None = None


class Origins:
    """Says of each place in the configuration who has written it. Overlays win over YAML, as with FlowerPower."""

    def __init__(self, pipeline: Document, project: Document | None = None, overlays: Overlays | None = None) -> None:
        self._documents = {"pipeline": pipeline, "project": project or Document()}
        self._overlays = Overlays() if overlays is None else overlays

    def of(self, kind: str, *place: str) -> Origin | None:
        """Who has written the value at `place` of the pipeline's or the project's configuration; None: nobody."""
        variables = self._overlays.variables(kind, *place)
        if variables:
            return from_environment(variables)
        document = self._documents[kind]
        written, reference, value = written_at(document, *place)
        if not written:
            return None
        if reference is None and has_reference(value):
            reference = _text_of(value)
        return Origin(document.path or "", reference)

    def keys(self, kind: str, *place: str) -> list[str]:
        """The keys that YAML or environment have written below a place."""
        written, _, value = written_at(self._documents[kind], *place)
        keys = [str(key) for key in value] if written and isinstance(value, dict) else []
        return list(dict.fromkeys([*keys, *self._overlays.keys(kind, *place)]))


def from_environment(variables: list[str]) -> Origin:
    """The origin of what overlays have set."""
    return Origin(f"environment {', '.join(variables)}", " ".join(f"${{{variable}}}" for variable in variables))


def written_at(document: Document, *place: str) -> tuple[bool, str | None, Any]:
    """Whether the YAML has something there, the reference that stands for all of it, and what is written.

    A whole section may be one reference (`inputs: ${INPUTS}`): then it stands for each of its keys.
    """
    value: Any = document.data
    for key in place:
        if isinstance(value, str) and has_reference(value):
            return True, clean(value), None
        if not isinstance(value, dict):
            return False, None, None
        # YAML's `on:` is the key True, which everybody else calls by its text.
        found = [each for each in value if each == key or str(each) == key]
        if not found:
            return False, None, None
        value = value[found[0]]
    return True, None, value


def keyed_hash(key: bytes | None, value: Any) -> str | None:
    """The same for equal values of one installation, and nothing to guess the value by without its key."""
    if key is None:
        return None
    text = json.dumps(publish(value), sort_keys=True, separators=(",", ":"))
    name = hashlib.sha256(b"key " + key).hexdigest()[:8]
    return f"{name}:{hmac.new(key, text.encode(errors='surrogatepass'), hashlib.sha256).hexdigest()[:32]}"


def _text_of(value: Any) -> str:
    return clean(value if isinstance(value, str) else json.dumps(publish(value), ensure_ascii=False))
