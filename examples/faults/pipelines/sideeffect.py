"""Leaves a mark outside, so that a test can count how often the pipeline has really run."""

import os
import time
from pathlib import Path


def marked(file: Path) -> str:
    """Appends one line: the job, the attempt and the process."""
    job, attempt = os.environ.get("FLOWERPOWER_JOB_ID"), os.environ.get("FLOWERPOWER_ATTEMPT")
    mark = f"{job} {attempt} {os.getpid()}"
    with file.open("a") as marks:
        marks.write(mark + "\n")
    return mark


def waited(marked: str, seconds: float) -> float:
    """Time in which something can go wrong."""
    time.sleep(seconds)
    return seconds


def done(waited: float, marked: str) -> str:
    """The line that was written."""
    return marked
