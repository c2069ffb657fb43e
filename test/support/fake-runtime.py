"""A runtime that misbehaves in ways in which the real one must not. The pipeline's name says how.

Started as `python fake-runtime.py HANDSHAKE`.
"""

import json
import os
import sys
import time


HELD = []


def send(kind, **fields):
    os.write(4, (json.dumps({"v": 1, "type": kind, **fields}) + "\n").encode())


def event(run, seq, name, **body):
    fields = {"event": name, "data": {}, **body}
    send("event", run=run, seq=seq, at="2026-11-23T10:00:00.000Z", body=fields)


def node(run, seq, name, node="n"):
    event(run, seq, name, node=node, branch=None)


def log(run, seq, text):
    data = {"level": "INFO", "stream": "stdout", "logger": None, "text": text}
    event(run, seq, "log", node=None, branch=None, data=data)


def ended(run, events, rss=1, threads=()):
    send(
        "ended",
        run=run,
        events=events,
        at="2026-11-23T10:00:01.000Z",
        outcome="succeeded",
        error=None,
        results={},
        retry=None,
        process={"rssBytes": rss, "threads": threads, "runs": 1},
    )


def garbage(run):
    node(run, 1, "node.started")
    os.write(4, b"Traceback (most recent call last)\n")
    ended(run, 1)


def unknown_message(run):
    send("applause", run=run)


def endless_line(run):
    while True:
        os.write(4, b"x" * 65536)


def gap(run):
    node(run, 2, "node.started")


def other_run(run):
    node(run + "x", 1, "node.started")


def miscounted(run):
    node(run, 1, "node.started")
    ended(run, 3)


def fault(run):
    send("fault", message="no such thing", traceback="somewhere")
    sys.exit(4)


def chatty_afterwards(run):
    ended(run, 0)
    node(run, 1, "node.started")


def flood(run):
    """Ten thousand log lines, a node after every thousandth."""
    seq = 0
    for i in range(10_000):
        seq += 1
        log(run, seq, f"{i} " + "x" * 200)
        if i % 1000 == 999:
            seq += 1
            node(run, seq, "node.started", f"n{i}")
    ended(run, seq)


def no_answer(run):
    time.sleep(600)


def ordinary(run):
    node(run, 1, "node.started")
    ended(run, 1)


def grows(run):
    ended(run, 0, rss=10**12)


def hoards(run):
    HELD.append(b"x" * 200_000_000)
    ended(run, 0)


def leaves_a_thread(run):
    ended(run, 0, threads=["uploader"])


def main():
    handshake = sys.argv[1]
    if handshake == "never":
        time.sleep(600)
    if handshake == "dies":
        sys.exit("I cannot live like this")
    if handshake == "speaks early":
        send("described", id="1")
        time.sleep(600)
    if handshake == "unready":
        send("unready", code="FLOWERPOWER_MISSING", message="FlowerPower is not installed.", hint="Run pip.")
        sys.exit(3)
    send("ready", pid=os.getpid(), python={"version": "3.11", "executable": sys.executable}, packages={})
    for line in os.fdopen(3, "rb"):
        request = json.loads(line)
        if request["type"] == "shutdown":
            if handshake == "stays":
                time.sleep(600)
            return
        if request["type"] == "run":
            globals()[request["pipeline"]](request["id"])


main()
