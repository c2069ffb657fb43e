"""Each modifier that changes a graph, run through the whole runtime: its nodes, in order, and what they say."""

import pytest
from runtime_process import EXAMPLES, RuntimeProcess


@pytest.fixture(scope="module")
def modifiers():
    with RuntimeProcess(EXAMPLES / "modifiers") as runtime:
        yield runtime


CASES = {
    "chosen": (["price", "bill"], {"bill": 27.0}),
    "parameterized": (["small", "large", "more", "less", "both"], {"both": [21, -21]}),
    "extracted": (
        ["stock", "count", "price", "prices", "cheapest", "known", "summary"],
        {"summary": {"count": 20, "cheapest": 0.5, "known": 2}},
    ),
    "nested": (
        [
            *("north.tax", "north.share", "south.tax", "south.share", "north.gross", "south.gross"),
            *("north.net", "south.net", "north.kept", "south.kept", "north", "south", "together"),
        ],
        {"together": 60.0},
    ),
    "injected": (["monday", "tuesday", "week"], {"week": 70}),
    "piped": (
        ["before.trimmed", "before.repeated", "shout.raw", "shout.exclaimed", "shout"],
        {"shout": "HAHA!"},
    ),
    "checked": (["percent_raw", "percent_range_validator", "percent", "told"], {"told": "25 percent"}),
    "tagged": (["revenue", "split", "net", "tax"], {"net": 56, "tax": 14}),
    "files": (["stock.loader", "stock", "worth", "saved"], {"saved": {"name": "worth.csv", "rows": 3}}),
    "fetched": (["events", "weather", "page"], {"page": "5 degrees, market in Ghent"}),
}


@pytest.mark.parametrize("name", CASES)
def test_every_node_that_it_makes_is_told(modifiers, name):
    path, values = CASES[name]
    run = modifiers.run(name)
    assert run.events[0]["data"]["path"] == path
    started = [e["node"] for e in run.of("node.started")]
    assert sorted(started) == sorted(path)
    assert sorted(e["node"] for e in run.of("node.succeeded")) == sorted(path)
    needs = {n["name"]: n["dependsOn"] for n in modifiers.describe(name)[name]["graph"]["nodes"]}
    order = [(e["event"], e["node"]) for e in run.events if e["event"].startswith("node.")]
    for node in path:
        for needed in set(needs[node]) & set(path):
            assert order.index(("node.succeeded", needed)) < order.index(("node.started", node))
    assert {key: result["value"] for key, result in run.ended["results"].items()} == values


def test_another_config_chooses_another_function(modifiers):
    assert modifiers.run("chosen", config={"customer": "guest"}).value("bill") == 30.0
    docs = {
        customer: next(
            node["doc"]
            for node in modifiers.describe("chosen", config={"customer": customer})["chosen"]["graph"]["nodes"]
            if node["name"] == "price"
        )
        for customer in ("member", "guest")
    }
    assert docs == {"member": "Members pay less.", "guest": "Guests pay what the list says."}


def test_a_value_that_fails_its_check_names_the_node_of_the_check(modifiers):
    run = modifiers.run("checked", {"part": 9.0})
    assert (run.error["kind"], run.error["node"]) == ("PIPELINE", "percent")
    assert run.error["type"].endswith("DataValidationError")
    assert [e["node"] for e in run.of("node.succeeded")] == ["percent_raw", "percent_range_validator"]


def test_tags_and_docs_are_in_the_graph(modifiers):
    nodes = {node["name"]: node for node in modifiers.describe("tagged")["tagged"]["graph"]["nodes"]}
    tags = {name: {k: v for k, v in nodes[name]["tags"].items() if k != "module"} for name in ("revenue", "net", "tax")}
    assert tags == {
        "revenue": {"owner": "sales", "personal": "no"},
        "net": {"owner": "finance"},
        "tax": {"owner": "state"},
    }
    assert nodes["revenue"]["doc"] == "What came in."
    loaders = {node["name"]: node["tags"] for node in modifiers.describe("files")["files"]["graph"]["nodes"]}
    assert loaders["stock.loader"]["hamilton.data_loader"] is True
    assert loaders["saved"]["hamilton.data_saver"] is True


def test_async_nodes_are_known_before_they_run(modifiers):
    described = modifiers.describe("fetched")["fetched"]
    nodes = {node["name"]: node["async"] for node in described["graph"]["nodes"]}
    assert nodes == {"city": False, "seconds": False, "weather": True, "events": True, "page": False}
    assert described["execution"]["asyncDriver"] is True
    assert [adapter["name"] for adapter in described["execution"]["adapters"]] == ["adapters.stopwatch:Stopwatch"]
    assert [module["file"] for module in described["modules"]] == [
        "adapters/__init__.py",
        "adapters/stopwatch.py",
        "pipelines/fetched.py",
    ]
    run = modifiers.run("fetched")
    assert run.log("asks for the weather")["node"] == "weather"
    assert run.log("asks what happens")["node"] == "events"
    assert run.log("stopwatch: done")["node"] is None
