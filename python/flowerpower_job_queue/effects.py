"""Whether a node loads or saves data: what its tags say, else what the calls in its code look like.

The second is a guess. It can make a node run that could have been reused, or say a warning too many; what it misses is
for the user to name (`recompute`, Hamilton's `@cache`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hamilton.node import Node

from .code_version import NodeCode
from .module_source import OPEN_TO_WRITE, READS_ENVIRONMENT

_LOADING = frozenset((
    "open", "read_text", "read_bytes", "urlopen", "urlretrieve", "getenv", "iterdir", "listdir", "scandir", "glob",
    "rglob", "execute", "fetchall", "fetchone", "connect", "create_engine", READS_ENVIRONMENT,
))  # fmt: skip
_LOADING_STARTS = ("read_", "scan_", "load_", "fetch_", "download_")
_LOADING_BASES = frozenset(("requests", "httpx", "urllib", "boto3", "fsspec"))
_SAVING = frozenset((
    "to_csv", "to_parquet", "to_sql", "to_excel", "to_feather", "to_pickle", "to_hdf", "to_orc", "to_stata", "to_gbq",
    "write", "writelines", "savefig", "save", "dump", "mkdir", "makedirs", "touch", "unlink", "rmtree", "copyfile",
    "copytree", "executemany", "commit", OPEN_TO_WRITE, "os.rename", "os.replace", "os.remove", "requests.post",
    "requests.put", "requests.patch", "requests.delete", "httpx.post", "httpx.put", "httpx.patch", "httpx.delete",
))  # fmt: skip
_SAVING_STARTS = ("write_", "sink_", "save_", "upload_", "send_", "insert_", "delete_")


def effect_of(node: Node, code: NodeCode | None) -> str | None:
    """`loads` or `saves` when the node is tagged so, `may_load` or `may_save` when it looks like it, else None."""
    if node.tags.get("hamilton.data_loader"):
        return "loads"
    if node.tags.get("hamilton.data_saver"):
        return "saves"
    if node.tags.get("cache.behavior") == "default":
        # The author has decided.
        return None
    calls = code.calls if code is not None else ()
    if _returns_nothing(node.type) or _any(calls, _SAVING, _SAVING_STARTS):
        return "may_save"
    if _any(calls, _LOADING, _LOADING_STARTS) or any(call.partition(".")[0] in _LOADING_BASES for call in calls):
        return "may_load"
    return None


def _any(calls: Iterable[str], names: frozenset[str], starts: tuple[str, ...]) -> bool:
    for call in calls:
        name = call.rpartition(".")[2]
        if name in names or call in names or name.startswith(starts):
            return True
    return False


def _returns_nothing(annotation: Any) -> bool:
    return annotation is None or annotation is type(None)
