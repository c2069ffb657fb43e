"""Prints more than anybody reads."""

import sys


def printed(lines: int) -> int:
    """Prints numbered lines, a progress bar that draws over itself, and one endless line."""
    for number in range(lines):
        print(f"line {number}")
    for percent in range(0, 101, 10):
        sys.stderr.write(f"\r{percent:3d} % done")
    sys.stderr.write("\n")
    print("x" * 100_000)
    return lines
