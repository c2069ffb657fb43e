"""The project's YAML as it is written: found, read, published with its references, never with what they stand for.

FlowerPower itself reads the files for a run. Here they are only described: nothing is interpolated, nothing written.
"""

from __future__ import annotations

import datetime
import functools
import itertools
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .errors import problem
from .overlays import Overlays
from .text import clean

# FlowerPower's own syntax: ${VAR}, ${VAR:-default}, ${VAR:?error}, $VAR; $$ is a dollar sign.
_REFERENCE = re.compile(r"\$\$|\$\{([^}]+)\}|\$([A-Za-z_][A-Za-z0-9_]*)")
_SECRET_WORDS = frozenset(
    ("password", "passwd", "pwd", "secret", "token", "apikey", "authorization", "credential", "credentials", "dsn")
)
_SECRET_PAIRS = (("api", "key"), ("access", "key"), ("private", "key"), ("secret", "key"), ("connection", "string"))
_PASSWORD_IN_URL = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")
_SHORTEST_SECRET = 4
MAX_EXACT = 2**53


class BrokenConfiguration(Exception):
    """A file that is not the YAML it should be."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.problems = [problem(path, message)]


@dataclass(frozen=True)
class Document:
    """A YAML file: its path relative to the project, its bytes and what they say. All empty when there is none."""

    path: str | None = None
    raw: bytes | None = None
    data: dict[str, Any] = field(default_factory=dict[str, Any])

    def section(self, name: str) -> dict[str, Any]:
        """A part of the document that is an object; anything else counts as absent, and is somebody else's error."""
        value = self.data.get(name)
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class FoundPipeline:
    """A module in the project's pipelines folder."""

    name: str
    module: str
    configured: bool


class Configuration:
    """The YAML files of one project."""

    def __init__(self, project: str, conf_dir: str = "conf", pipelines_dir: str = "pipelines") -> None:
        self.project = project
        self.conf_dir = conf_dir
        self.pipelines_dir = pipelines_dir
        self._parsed: dict[str, Document] = {}

    def project_document(self) -> Document:
        """conf/project.yml."""
        return self._first([f"{self.conf_dir}/project.yml", f"{self.conf_dir}/project.yaml"])

    def pipeline_document(self, name: str) -> Document:
        """A pipeline's YAML, in the places where FlowerPower looks."""
        return self._first(self._pipeline_paths(name))

    def pipeline_file(self, name: str) -> str | None:
        """The pipeline's module, None when there is none."""
        path = os.path.join(self.project, self.pipelines_dir, _file_stem(name) + ".py")
        return path if os.path.isfile(path) else None

    def pipelines(self) -> list[FoundPipeline]:
        """Every pipeline, as FlowerPower discovers them: each module but `__init__`, importing none."""
        root = Path(self.project, self.pipelines_dir)
        found: list[FoundPipeline] = []
        for path in sorted(root.rglob("*.py")):
            relative = path.relative_to(root).with_suffix("")
            if path.name == "__init__.py" or any(part.startswith(".") for part in relative.parts):
                continue
            module = ".".join(relative.parts)
            configured = any(os.path.isfile(os.path.join(self.project, p)) for p in self._pipeline_paths(module))
            found.append(FoundPipeline(self._stored_name(module) or module, module, configured))
        return found

    def _stored_name(self, module: str) -> str | None:
        """A `name:` that leads FlowerPower back to the same files: `daily-report` for daily_report.py."""
        try:
            name = self.pipeline_document(module).data.get("name")
        except BrokenConfiguration:
            return None
        return name if isinstance(name, str) and _file_stem(name) == _file_stem(module) else None

    def _pipeline_paths(self, name: str) -> list[str]:
        folders = (f"{self.conf_dir}/{self.pipelines_dir}", self.conf_dir)
        return [f"{folder}/{_file_stem(name)}{end}" for folder in folders for end in (".yml", ".yaml")]

    def _first(self, paths: list[str]) -> Document:
        for path in paths:
            try:
                with open(os.path.join(self.project, path), "rb") as file:
                    raw = file.read()
            except OSError:
                continue
            known = self._parsed.get(path)
            if known is None or known.raw != raw:
                known = Document(path, raw, _parse(path, raw))
                self._parsed[path] = known
            return known
        return Document()


def _file_stem(name: str) -> str:
    return name.replace(".", "/").replace("-", "_")


def _parse(path: str, raw: bytes) -> dict[str, Any]:
    try:
        data = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise BrokenConfiguration(path, f"not valid YAML: {where}{what}") from error
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BrokenConfiguration(path, f"not valid YAML: {error}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise BrokenConfiguration(path, f"expected keys and values, got {type(data).__name__}")
    return data


def publish(value: Any) -> Any:
    """A value of the YAML as JSON, references as they are written. What JSON cannot carry becomes text."""
    if isinstance(value, dict):
        return {clean(str(key)): publish(item) for key, item in value.items() if key != "__proto__"}
    if isinstance(value, (list, tuple, set)):
        return [publish(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return clean(str(value))


def has_reference(value: Any) -> bool:
    """True when resolving the value would read the environment."""
    if isinstance(value, str):
        return any(match[0] != "$$" for match in _REFERENCE.finditer(value))
    if isinstance(value, dict):
        return any(has_reference(item) for item in value.values())
    return isinstance(value, list) and any(has_reference(item) for item in value)


def resolved_secrets(documents: list[Document]) -> set[str]:
    """Values of the environment that the YAML refers to and that look like secrets, by name or by a password inside."""
    secrets: set[str] = set()
    named = [
        (variable, key, os.environ.get(variable, ""))
        for document in documents
        for variable, key in _uses(document.data, "")
    ]
    named += [(variable, key, str(value)) for variable, key, value in Overlays().leaves()]
    for variable, key, value in named:
        if is_secret_name(variable) or is_secret_name(key):
            secrets.add(value)
        secrets.update(_PASSWORD_IN_URL.findall(value))
    return {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}


@functools.lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """By whole words: `db_password` is one, `max_tokens` is not."""
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    parts = [part for part in re.split(r"[^a-z]+", words) if part]
    return not _SECRET_WORDS.isdisjoint(parts) or any(pair in _SECRET_PAIRS for pair in itertools.pairwise(parts))


def has_password(value: Any) -> bool:
    """True for a URL with a password in it."""
    return isinstance(value, str) and _PASSWORD_IN_URL.search(value) is not None


def variables_in(documents: list[Document]) -> list[str]:
    """Names of the variables that the YAML refers to."""
    return list(dict.fromkeys(name for document in documents for name, _ in _uses(document.data, "")))


def _uses(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Each variable that is referred to, with the key under which it is."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _uses(item, str(name))
    elif isinstance(value, list):
        for item in value:
            yield from _uses(item, key)
    elif isinstance(value, str):
        for match in _REFERENCE.finditer(value):
            if match[0] != "$$":
                yield re.split(r":?[-?]", match[1] or match[2])[0].strip(), key
