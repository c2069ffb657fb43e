"""Runs chains of nodes with Hamilton's driver, alone and observed by us, in turn. Prints the medians for one node.

All times are of the processor, which others on the machine do not change.
"""

import json
import os
import statistics
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

os.environ["HAMILTON_AUTOLOAD_EXTENSIONS"] = "0"
sys.path.append(str(Path(__file__).parents[1] / "python"))

from flowerpower_job_queue.node_events import NodeEvents  # noqa: E402  the variable has to be set before the import
from flowerpower_job_queue.protocol import Channel  # noqa: E402
from flowerpower_job_queue.run_events import RunEvents  # noqa: E402
from hamilton import driver  # noqa: E402

# Milliseconds of a node, nodes of a chain, chains of each kind.
CASES = ((0.1, 20, 100), (1, 20, 30), (100, 5, 5))


def chain(node_ms: float, nodes: int) -> types.ModuleType:
    """A module of nodes that keep Python busy, each of which needs the one before it."""
    source = "import time\n"
    for number in range(nodes):
        needs = f"node_{number - 1}: int" if number else ""
        source += f"""
def node_{number}({needs}) -> int:
    end = time.thread_time() + {node_ms / 1000}
    while time.thread_time() < end:
        pass
    return {number}
"""
    module = types.ModuleType("chain")
    # Hamilton takes the functions that `inspect` finds to be of the module.
    sys.modules["chain"] = module
    exec(source, module.__dict__)
    return module


def measure(module: types.ModuleType, nodes: int, adapters: list[Any]) -> float:
    """Milliseconds of the process for one node."""
    builder = driver.Builder().with_modules(module).enable_dynamic_execution(allow_experimental_mode=True)
    built = builder.with_adapters(*adapters).build()
    started = time.process_time()
    built.execute([f"node_{nodes - 1}"])
    return (time.process_time() - started) * 1000 / nodes


# Somebody else reads, as the worker does.
reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
assert reader.stdin is not None
channel = Channel(reader.stdin.fileno())
measured = []
for node_ms, nodes, chains in CASES:
    module = chain(node_ms, nodes)
    bare: list[float] = []
    observed: list[float] = []
    for _ in range(chains):
        bare.append(measure(module, nodes, []))
        hooks = NodeEvents(RunEvents("bench", channel), "/", {}, frozenset(), lambda: "")
        observed.append(measure(module, nodes, [hooks]))
    measured.append(
        {
            "nodeMs": node_ms,
            "bareMs": statistics.median(bare),
            "observedMs": statistics.median(observed),
        }
    )
reader.stdin.close()
reader.wait()
print(json.dumps(measured))
