"""Runs a pipeline with bare FlowerPower in a loop and prints the median in milliseconds.

Usage: bare.py PROJECT PIPELINE COUNT [remember]
With `remember` loguru looks up Python's folders once, as in our runtime: what is left of the difference is ours.
"""

import os
import statistics
import sys
import time
from pathlib import Path

os.environ["HAMILTON_AUTOLOAD_EXTENSIONS"] = "0"

from flowerpower import FlowerPowerProject  # noqa: E402  the variable has to be set before the import

directory, pipeline, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
if sys.argv[4:] == ["remember"]:
    sys.path.append(str(Path(__file__).parents[1] / "python"))
    from flowerpower_job_queue.flowerpower_guard import remember_library_folders

    remember_library_folders()
project = FlowerPowerProject.load(directory)
times = []
for _ in range(count):
    started = time.perf_counter()
    project.pipeline_manager.run(pipeline, max_retries=0)
    times.append((time.perf_counter() - started) * 1000)
print(statistics.median(times[count // 10 :]))
