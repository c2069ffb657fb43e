"""Serves one artifact store to a process that has no Python: one JSON object per line on stdin, answers on stdout.

`{"id": 1, "do": "read", "path": …, "start": 0, "end": 10}` → `{"id": 1, "answer": {"data": base64}}`. What goes
wrong is `{"id": 1, "error": text, "missing": whether it is not there}`. The end of stdin ends it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .artifact_store import Store, StoreError, answer, open_store

_THREADS = 8


def main() -> int:
    """Serves the store that the only argument names."""
    # Whatever a library prints must not come between the answers.
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    lock = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        with lock:
            out.write(json.dumps(message).encode() + b"\n")

    try:
        store = open_store(sys.argv[1])
    except StoreError as error:
        send({"ready": False, "error": str(error)})
        return 3
    send({"ready": True})
    with ThreadPoolExecutor(_THREADS) as pool:
        for line in sys.stdin.buffer:
            pool.submit(_serve, store, json.loads(line), send)
    return 0


def _serve(store: Store, request: dict[str, Any], send: Any) -> None:
    try:
        send({"id": request["id"], "answer": answer(store, request["do"], request)})
    except FileNotFoundError as error:
        send({"id": request["id"], "error": str(error), "missing": True})
    except Exception as error:
        send({"id": request["id"], "error": f"{type(error).__name__}: {error}", "missing": False})


if __name__ == "__main__":
    sys.exit(main())
