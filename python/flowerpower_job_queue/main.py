"""Where a runtime begins: parses the command line, refuses what cannot work, serves until it is told to leave.

This file and the package's `__init__` keep to syntax that an old Python can parse, so that `python3.8` gets an answer
and not a SyntaxError. Everything else is imported after the version is known.
"""

import sys

MINIMUM_PYTHON = (3, 11)


def main(argv=None):  # pyright: ignore[reportMissingParameterType]
    """Serves one project over two file descriptors. Returns the exit code."""
    # The empty entry of `python -c` is the current folder, the project's: its random.py would hide Python's own.
    sys.path[:] = [entry for entry in sys.path if entry != ""]

    import argparse
    import os

    parser = argparse.ArgumentParser(prog="flowerpower_job_queue", description="Runtime of FlowerPower Job Queue.")
    parser.add_argument("--project", required=True, help="folder of the FlowerPower project")
    parser.add_argument("--requests-fd", type=int, required=True, help="file descriptor to read requests from")
    parser.add_argument("--events-fd", type=int, required=True, help="file descriptor to write answers and events to")
    options = parser.parse_args(argv)
    # A pipeline that looks at its command line finds none, as in a program without options.
    sys.argv[:] = ["flowerpower"]
    # Programs that a pipeline starts must not hold the two channels open.
    for fd in (options.requests_fd, options.events_fd):
        if hasattr(os, "set_inheritable"):
            os.set_inheritable(fd, False)

    if sys.version_info[:2] < MINIMUM_PYTHON:
        import json

        running = ".".join(str(part) for part in sys.version_info[:3])
        needed = ".".join(str(part) for part in MINIMUM_PYTHON)
        message = {
            "v": 1,
            "type": "unready",
            "code": "PYTHON_UNSUPPORTED",
            "message": "Python %s at %s is too old: FlowerPower needs %s or newer." % (running, sys.executable, needed),
            "hint": "Create an environment with a newer Python (python%s -m venv .venv) and install the project "
            "into it, or point job_queue.python at one." % needed,
        }
        os.write(options.events_fd, (json.dumps(message) + "\n").encode("utf-8"))
        return 3

    from flowerpower_job_queue.serve import serve

    return serve(os.path.abspath(options.project), options.requests_fd, options.events_fd)


if __name__ == "__main__":
    sys.exit(main())
