import { describe, expect, it } from "vitest";
import { type IdKind, IdSource, idPrefixes, idText, uuidOf } from "../../src/domain/ids.ts";

const uuid = "01890a5d-ac96-774b-bcce-b302099a8057";
const kinds = Object.keys(idPrefixes) as IdKind[];

describe("idText and uuidOf", () => {
  it("are the TypeID of the specification's example", () => {
    expect(idText("job", uuid)).toBe("job_01h455vb4pex5vsknk084sn02q");
    expect(uuidOf("job", "job_01h455vb4pex5vsknk084sn02q")).toBe(uuid);
  });

  it.each(kinds)("go both ways for %s, and for no other kind", (kind) => {
    const ids = new IdSource(Date.now);
    for (let count = 0; count < 50; count += 1) {
      const id = ids.next();
      const text = idText(kind, id);
      expect(uuidOf(kind, text)).toBe(id);
      for (const other of kinds) if (other !== kind) expect(uuidOf(other, text)).toBeNull();
    }
  });

  it.each([
    "",
    "job",
    "job_",
    uuid,
    "01h455vb4pex5vsknk084sn02q",
    "JOB_01h455vb4pex5vsknk084sn02q",
    "job_01H455VB4PEX5VSKNK084SN02Q",
    "job_01h455vb4pex5vsknk084sn02", // one short
    "job_01h455vb4pex5vsknk084sn02qq",
    "job_81h455vb4pex5vsknk084sn02q", // more than 128 bits
    "job_01h455vb4pex5vsknk084sn0il", // letters that base32 leaves out
    "job_01h455vb4pex5vsknk084sn02\u0000",
    "job_01h455vb4pex5vsknk084sn02é",
    " job_01h455vb4pex5vsknk084sn02q",
    "job__01h455vb4pex5vsknk084sn02q",
    "jobs_01h455vb4pex5vsknk084sn02q",
  ])("refuse %j", (text) => {
    expect(uuidOf("job", text)).toBeNull();
  });
});

describe("IdSource", () => {
  const first = (count: number, now: () => number) => {
    const source = new IdSource(now);
    return Array.from({ length: count }, () => source.next());
  };

  it("makes ids that grow, as text too, within one millisecond", () => {
    const ids = first(10_000, () => 1_700_000_000_000);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    const texts = ids.map((id) => idText("job", id));
    expect(texts.toSorted()).toEqual(texts);
  });

  it("makes ids that grow when the clock steps back, and after it has caught up", () => {
    const times = [1_700_000_000_000, 1_600_000_000_000, 1_699_999_999_999.9, 1_700_000_000_000, 1_700_000_000_001];
    let call = 0;
    const ids = first(times.length, () => times[call++] as number);
    expect(ids.toSorted()).toEqual(ids);
  });

  it("puts the time of the clock into the id", () => {
    const [id] = first(1, () => 0x0123_4567_89ab + 0.7) as [string];
    expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab]/);
  });

  it("makes different ids in two processes at the same moment", () => {
    const now = () => 1_700_000_000_000;
    expect(new Set([...first(1000, now), ...first(1000, now)]).size).toBe(2000);
  });
});
