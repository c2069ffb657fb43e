"""The two stores that Hamilton's caching adapter asks, on our shelf.

Hamilton keeps values by their hash; here they lie by the node's key, and the shelf knows which key the thread is at.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hamilton.caching.stores.base import MetadataStore, ResultStore

from .reuse_shelf import Shelf


class Versions(MetadataStore):
    """Which value a node has, by the key of its code and inputs."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def initialize(self, run_id: str) -> None:
        """Before a run."""
        self._shelf.store.open()

    def get(self, cache_key: str, **_: Any) -> str | None:
        """The version of the stored value."""
        return self._shelf.look_up(cache_key)

    def set(self, cache_key: str, data_version: str, **_: Any) -> None:
        """A node has a new value, which is going to be stored."""
        self._shelf.note(cache_key, data_version)

    def exists(self, cache_key: str) -> bool:
        """Whether a value is stored."""
        return self._shelf.look_up(cache_key) is not None

    def delete(self, cache_key: str) -> None:
        """An entry that cannot be read is taken away where that is noticed."""

    # The rest is for people who look at a cache with Hamilton's means.
    def delete_all(self) -> None:
        """The worker prunes."""

    def __len__(self) -> int:
        return 0

    def get_run_ids(self) -> list[str]:
        """Runs are in Postgres."""
        return []

    def get_run(self, run_id: str) -> list[dict[str, Any]]:
        """Runs are in Postgres."""
        return []


class Values(ResultStore):
    """The values themselves."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def get(self, data_version: str, **_: Any) -> Any:
        """The value whose version was asked for just before."""
        return self._shelf.take()

    def set(self, data_version: str, result: Any, **_: Any) -> None:
        """Stores the value of the node that has just run."""
        self._shelf.put(result)

    def exists(self, data_version: str) -> bool:
        """False for a node that has just run: its value is written whatever is stored elsewhere."""
        call = self._shelf.call
        return call is not None and call.pending is None and call.found is not None

    def delete(self, data_version: str) -> None:
        """An entry that cannot be read is taken away where that is noticed."""

    def delete_all(self) -> None:
        """The worker prunes."""

    def _materialized_path(self, data_version: str, saver_cls: Any) -> Any:
        """Asked for nodes with `@cache(format=…)`: here every value is kept in one way, with nothing beside it."""
        return SimpleNamespace(exists=lambda: True)
