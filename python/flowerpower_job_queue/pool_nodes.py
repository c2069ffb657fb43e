"""Lets a process pool run nodes that decorators have made.

Hamilton sends each task to the pool with its nodes, pickled; what `@parameterize` makes is a local function, which
cannot be. A forked process has the whole graph already, so a node need only be named.
"""

from __future__ import annotations

import copyreg
import multiprocessing
from typing import Any

from hamilton.lifecycle.base import BasePostGraphConstruct
from hamilton.node import Node

_nodes: dict[str, Node] = {}


def pools_are_forked() -> bool:
    """Whether a pool's processes begin as copies of this one. Asks without settling it for the pipeline's own code."""
    method = multiprocessing.get_start_method(allow_none=True)
    return (method or multiprocessing.get_all_start_methods()[0]) == "fork"


class PoolNodes(BasePostGraphConstruct):
    """Notes the nodes of the graph that FlowerPower has built, before its pool is forked."""

    def post_graph_construct(self, *, graph: Any, **_: Any) -> None:
        """From here on these nodes are pickled by their names."""
        _nodes.clear()
        _nodes.update(graph.nodes)

    def forget(self) -> None:
        """After the run: nodes are pickled by value again."""
        _nodes.clear()

    def __getstate__(self) -> dict[str, Any]:
        return {}


def _node_named(name: str) -> Node:
    return _nodes[name]


def _reduce(node: Node) -> Any:
    if _nodes.get(node.name) is node:
        return _node_named, (node.name,)
    return node.__reduce_ex__(2)


copyreg.pickle(Node, _reduce)  # pyright: ignore[reportArgumentType]
