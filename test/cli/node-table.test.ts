import { expect, it } from "vitest";
import { type NodeDetails, nodeLines, nodeTable } from "../../src/cli/node-table.ts";
import { ascii, type Terminal } from "../../src/cli/terminal.ts";

const terminal = {
  paint: (_format: unknown, text: string) => text,
  symbols: ascii,
  columns: 100,
  rows: 24,
} as Terminal;
const node = (name: string, given: Partial<NodeDetails>): NodeDetails => ({
  node: name,
  branch: null,
  state: "SUCCEEDED",
  durationMs: 12,
  cpuMs: 8.4,
  memoryGrowthBytes: null,
  summary: null,
  graphNode: null,
  ...given,
});
const whole = (preview: string) => ({ type: "int", shape: null, length: null, bytes: 28, preview, columns: null });

it("tells of each node what it took and gave, and of frames their columns", () => {
  const lines = nodeTable(
    [
      node("stock", {
        memoryGrowthBytes: 4_200_000,
        summary: {
          type: "pandas.DataFrame",
          shape: [3, 2],
          length: null,
          bytes: 180,
          preview: null,
          columns: [
            { name: "item", type: "str", statistics: null },
            { name: "price", type: "float64", statistics: { min: 0.5, max: 4.2, mean: 7.5 / 3, nulls: 1 } },
          ],
        },
        graphNode: {
          doc: null,
          type: "pd.DataFrame",
          tags: {},
          upstream: ["file"],
          downstream: ["worth"],
          file: null,
          line: null,
        },
      }),
      node("worth", { branch: "expand-item.11.block-item", memoryGrowthBytes: -4096, summary: whole("7") }),
      node("fails", { state: "RUNNING", durationMs: null, cpuMs: null }),
    ],
    terminal,
  );
  expect(lines).toEqual([
    "NODE        STATE      TIME   CPU   MEMORY ~  UPSTREAM  VALUE",
    "stock       succeeded  12 ms  8 ms  4.2 MB    file      DataFrame 3 x 2, 180 B",
    "worth [11]  succeeded  12 ms  8 ms  -4.1 kB             int 7",
    "fails       running",
    "",
    "NODE   COLUMN  MIN  MAX  MEAN  NULLS  TYPE",
    "stock  item                           str",
    "stock  price   0.5  4.2  2.5   1      float64",
  ]);
});

it("tells all about one node, with its code", () => {
  const graphNode = {
    doc: "What there is.\nBy item.",
    type: "int",
    tags: { module: "pipelines.shop", owner: "sales" },
    upstream: ["file", "day"],
    downstream: ["worth"],
    file: "pipelines/shop.py",
    line: 3,
  };
  const source = '@tag(owner="sales")\ndef stock(file: str, day: str) -> int:\n\treturn 7\n';
  const reason = { text: "code changed" };
  const regression = { factor: 3, baselineP95Ms: 4 };
  const branches = [0, 1].map((n) =>
    node("stock", {
      branch: `expand-item.${n}.block-item`,
      graphNode,
      source,
      reason,
      regression,
      summary: whole("7"),
    }),
  );
  expect(nodeLines(branches, terminal)).toEqual([
    "NODE       STATE      TIME   CPU   MEMORY ~  UPSTREAM   VALUE",
    "stock [0]  succeeded  12 ms  8 ms            file, day  int 7",
    "stock [1]  succeeded  12 ms  8 ms            file, day  int 7",
    "",
    "What there is.",
    "By item.",
    "",
    "  type        int",
    "  tags        owner: sales",
    "  upstream    file, day",
    "  downstream  worth",
    "  why         code changed",
    "  slow        3.0 times as long as usual (p95 4 ms)",
    "  code        pipelines/shop.py:3",
    "",
    '    @tag(owner="sales")',
    "    def stock(file: str, day: str) -> int:",
    "        return 7",
  ]);
  expect(nodeLines([], terminal)).toBeNull();
});

it("says so when nothing has begun", () => {
  expect(nodeTable([], terminal)).toEqual(["No node has begun."]);
});
