"""What the environment sets over the YAML, by FlowerPower's rules: `FP_PIPELINE__RUN__INPUTS__DAY=2026-11-23`.

Names only, and which variable has set what: the values are FlowerPower's own to resolve. One variable may set a whole
section as JSON (`FP_PIPELINE__RUN__INPUTS={"day": …}`), and a few old ones stand for others (`FP_LOG_LEVEL`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

_PREFIX = "FP_"
# An old name counts only where the new one has set nothing.
_OLD_NAMES = {
    "FP_LOG_LEVEL": ("pipeline", "run", "log_level"),
    "FP_EXECUTOR": ("pipeline", "run", "executor", "type"),
    "FP_EXECUTOR_MAX_WORKERS": ("pipeline", "run", "executor", "max_workers"),
    "FP_EXECUTOR_NUM_CPUS": ("pipeline", "run", "executor", "num_cpus"),
    "FP_MAX_RETRIES": ("pipeline", "run", "retry", "max_retries"),
    "FP_RETRY_DELAY": ("pipeline", "run", "retry", "retry_delay"),
    "FP_JITTER_FACTOR": ("pipeline", "run", "retry", "jitter_factor"),
}

# A branch has its keys, a leaf the variable that has set it with its text.
_Leaf: TypeAlias = tuple[str, Any]
_Tree: TypeAlias = dict[str, "_Tree | _Leaf"]


class Overlays:
    """The variables that set something, by the place that they set."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._tree: _Tree = {}
        environment = os.environ if environment is None else environment
        for variable, text in environment.items():
            rest = variable.removeprefix(_PREFIX)
            if variable.startswith(_PREFIX) and "__" in rest:
                self._set([part.lower() for part in rest.split("__")], variable, text)
        for variable, place in _OLD_NAMES.items():
            if variable in environment and self._at(place) is None:
                self._set(list(place), variable, environment[variable])

    def variables(self, *place: str) -> list[str]:
        """The variables that set this place, or something below it."""
        found = self._at(place)
        return [] if found is None else list(dict.fromkeys(variable for variable, _, _ in _leaves(found)))

    def keys(self, *place: str) -> dict[str, str]:
        """What is set below a place: `pipeline, run, inputs` gives {"day": "FP_PIPELINE__RUN__INPUTS__DAY"}."""
        found = self._at(place)
        if not isinstance(found, dict):
            return {}
        return {key: ", ".join(self.variables(*place, key)) for key in found}

    def leaves(self) -> Iterator[tuple[str, str, Any]]:
        """Each value that is set: variable, the last key of its place, and the value as it is in the variable."""
        yield from _leaves(self._tree)

    def without(self, kind: str, sections: set[str]) -> Overlays:
        """The same, but for these sections of the pipeline's or the project's configuration."""
        rest = Overlays({})
        rest._tree = dict(self._tree)
        below = self._tree.get(kind)
        if isinstance(below, dict):
            rest._tree[kind] = {key: each for key, each in below.items() if key not in sections}
        return rest

    def _set(self, place: list[str], variable: str, text: str) -> None:
        branch = self._tree
        for key in place[:-1]:
            below = branch.get(key)
            if not isinstance(below, dict):
                below = branch[key] = {}
            branch = below
        branch[place[-1]] = _grown(variable, _parsed(text))

    def _at(self, place: tuple[str, ...]) -> _Tree | _Leaf | None:
        found: _Tree | _Leaf | None = self._tree
        for key in place:
            found = found.get(key) if isinstance(found, dict) else None
        return found


def _parsed(text: str) -> Any:
    """An object of JSON as FlowerPower reads it; anything else is one value, whatever it becomes."""
    if text.strip().startswith("{"):
        try:
            return json.loads(text.strip())
        except ValueError:
            pass
    return text


def _grown(variable: str, value: Any) -> _Tree | _Leaf:
    if isinstance(value, dict) and value:
        return {str(key): _grown(variable, item) for key, item in value.items()}
    return variable, value


def _leaves(tree: _Tree | _Leaf, key: str = "") -> Iterator[tuple[str, str, Any]]:
    if isinstance(tree, dict):
        for name, below in tree.items():
            yield from _leaves(below, name)
    else:
        yield tree[0], key, tree[1]
