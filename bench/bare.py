"""Runs a pipeline with bare FlowerPower in a loop and prints the median in milliseconds.

Usage: bare.py PROJECT PIPELINE COUNT
"""

import os
import statistics
import sys
import time

os.environ["HAMILTON_AUTOLOAD_EXTENSIONS"] = "0"

from flowerpower import FlowerPowerProject  # noqa: E402  the variable has to be set before the import

directory, pipeline, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
project = FlowerPowerProject.load(directory)
times = []
for _ in range(count):
    started = time.perf_counter()
    project.pipeline_manager.run(pipeline, max_retries=0)
    times.append((time.perf_counter() - started) * 1000)
print(statistics.median(times[count // 10 :]))
