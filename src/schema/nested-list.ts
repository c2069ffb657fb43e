import { Gathered } from "./gathered.ts";
import { type Keyset, type PageArgs, type PageRequest, readPage } from "./page.ts";

/** Where a page of one of many lists begins and ends, by what orders it. */
export interface ListQuestion<Key = number> {
  question: number;
  after: Key;
  before: Key;
}

/** Reads the pages of these lists: at most `limit` rows each, from the end when `backwards`. */
type Read<Question, Row, Key> = (
  questions: readonly (Question & ListQuestion<Key>)[],
  limit: number,
  backwards: boolean,
) => Promise<(Row & { question: number })[]>;

/** The largest number that orders a list: a 32-bit integer, and cursors hold no more. */
const most = 2 ** 31 - 1;

/** The keys by which a list may be ordered: all lie between two that none has. */
interface Keys<Key> {
  below: Key;
  above: Key;
  parse(text: string): Key | null;
}

const numbers: Keys<number> = {
  below: 0,
  above: most,
  parse: (text) => (/^[1-9]\d{0,9}$/.test(text) && +text <= most ? +text : null),
};

export const uuids: Keys<string> = {
  below: "00000000-0000-0000-0000-000000000000",
  above: "ffffffff-ffff-ffff-ffff-ffffffffffff",
  parse: (text) => (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? text : null),
};

/**
 * Lists that belong to the objects of a page, each ordered by a key of its own: a number unless said. The pages of all of
 * them are read in one statement, however many objects ask.
 */
export class NestedList<Question extends object, Row extends object, Key extends number | string = number> {
  readonly #keyOf: (row: Row) => Key;
  readonly #keys: Keys<Key>;
  readonly #forwards: Gathered<Question & PageRequest<Key>, Row[]>;
  readonly #backwards: Gathered<Question & PageRequest<Key>, Row[]>;

  constructor(keyOf: (row: Row) => Key, read: Read<Question, Row, Key>, keys = numbers as unknown as Keys<Key>) {
    this.#keyOf = keyOf;
    this.#keys = keys;
    this.#forwards = batched(read, keys, false);
    this.#backwards = batched(read, keys, true);
  }

  /** A page of the list that `name` tells from every other: cursors of another one are refused. */
  page(name: string, question: Question, args: PageArgs) {
    const keyset: Keyset<Row, Key> = {
      name,
      keyOf: (row) => [String(this.#keyOf(row))],
      parse: ([text = "", ...rest]) => (rest.length === 0 ? this.#keys.parse(text) : null),
    };
    return readPage(args, keyset, (request) =>
      (request.backwards ? this.#backwards : this.#forwards).ask({ ...question, ...request }),
    );
  }
}

function batched<Question extends object, Row extends object, Key>(
  read: Read<Question, Row, Key>,
  { below, above }: Keys<Key>,
  backwards: boolean,
) {
  return new Gathered<Question & PageRequest<Key>, Row[]>(async (asked) => {
    const limit = Math.max(...asked.map((one) => one.limit));
    const questions = asked.map(({ after, before, ...one }, question) => ({
      ...(one as unknown as Question),
      question,
      after: after ?? below,
      before: before ?? above,
    }));
    const answers = asked.map((): Row[] => []);
    for (const { question, ...row } of await read(questions, limit, backwards)) {
      const answer = answers[question];
      if (answer !== undefined && answer.length < (asked[question]?.limit ?? 0)) answer.push(row as unknown as Row);
    }
    return answers;
  });
}
