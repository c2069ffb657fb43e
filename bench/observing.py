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

# Milliseconds of a node, what it gives, nodes of a chain, chains of each kind.
FRAME = "pd.DataFrame"
CASES = ((0.1, "int", 20, 100), (1, "int", 20, 30), (100, "int", 5, 5), (1, FRAME, 20, 30), (100, FRAME, 5, 5))


def chain(node_ms: float, gives: str, nodes: int) -> types.ModuleType:
    """A module of nodes that keep Python busy, each of which needs the one before it."""
    source = "import time\nimport numpy as np\nimport pandas as pd\n"
    # Ten columns of numbers, each with statistics.
    source += "frame = pd.DataFrame(np.random.rand(10_000, 10)).add_prefix('column_')\n"
    for number in range(nodes):
        needs = f"node_{number - 1}: {gives}" if number else ""
        source += f"""
def node_{number}({needs}) -> {gives}:
    end = time.thread_time() + {node_ms / 1000}
    while time.thread_time() < end:
        pass
    return {number if gives == "int" else "frame"}
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
for node_ms, gives, nodes, chains in CASES:
    module = chain(node_ms, gives, nodes)
    bare: list[float] = []
    observed: list[float] = []
    for _ in range(chains):
        bare.append(measure(module, nodes, []))
        hooks = NodeEvents(RunEvents("bench", channel), "/", {}, frozenset(), lambda: "", statistics=True)
        observed.append(measure(module, nodes, [hooks]))
    measured.append(
        {
            "nodeMs": node_ms,
            "gives": gives,
            "bareMs": statistics.median(bare),
            "observedMs": statistics.median(observed),
        }
    )
reader.stdin.close()
reader.wait()
print(json.dumps(measured))
