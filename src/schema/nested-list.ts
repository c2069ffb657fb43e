import { Batch } from "./batch.ts";
import { type Keyset, type PageArgs, type PageRequest, readPage } from "./page.ts";

/** Where a page of one of many lists begins and ends, by the number that orders it. */
export interface ListQuestion {
  question: number;
  after: number;
  before: number;
}

/** Reads the pages of these lists: at most `limit` rows each, from the end when `backwards`. */
type Read<Question, Row> = (
  questions: readonly (Question & ListQuestion)[],
  limit: number,
  backwards: boolean,
) => Promise<(Row & { question: number })[]>;

/** The largest number that orders a list: a 32-bit integer, and cursors hold no more. */
const most = 2 ** 31 - 1;

/**
 * Lists that belong to the objects of a page, each ordered by a number of its own. The pages of all of them are read in one
 * statement, however many objects ask.
 */
export class NestedList<Question extends object, Row extends object> {
  readonly #numberOf: (row: Row) => number;
  readonly #forwards: Batch<Question & PageRequest<number>, Row[]>;
  readonly #backwards: Batch<Question & PageRequest<number>, Row[]>;

  constructor(numberOf: (row: Row) => number, read: Read<Question, Row>) {
    this.#numberOf = numberOf;
    this.#forwards = batched(read, false);
    this.#backwards = batched(read, true);
  }

  /** A page of the list that `name` tells from every other: cursors of another one are refused. */
  page(name: string, question: Question, args: PageArgs) {
    const keyset: Keyset<Row, number> = {
      name,
      keyOf: (row) => [String(this.#numberOf(row))],
      parse: ([text = "", ...rest]) =>
        /^[1-9]\d{0,9}$/.test(text) && rest.length === 0 && +text <= most ? +text : null,
    };
    return readPage(args, keyset, (request) =>
      (request.backwards ? this.#backwards : this.#forwards).ask({ ...question, ...request }),
    );
  }
}

function batched<Question extends object, Row extends object>(read: Read<Question, Row>, backwards: boolean) {
  return new Batch<Question & PageRequest<number>, Row[]>(async (asked) => {
    const limit = Math.max(...asked.map((one) => one.limit));
    const questions = asked.map(({ after, before, ...one }, question) => ({
      ...(one as unknown as Question),
      question,
      after: after ?? 0,
      before: before ?? most,
    }));
    const answers = asked.map((): Row[] => []);
    for (const { question, ...row } of await read(questions, limit, backwards)) {
      const answer = answers[question];
      if (answer !== undefined && answer.length < (asked[question]?.limit ?? 0)) answer.push(row as unknown as Row);
    }
    return answers;
  });
}
