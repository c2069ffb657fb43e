/** Gathers what is asked for in one turn of the event loop and answers it all at once. */
export class Gathered<Question, Answer> {
  readonly #answer: (questions: Question[]) => Promise<Answer[]>;
  #asked: { question: Question; answered: PromiseWithResolvers<Answer> }[] = [];

  /** `answer` gives one answer for each question, in their order. */
  constructor(answer: (questions: Question[]) => Promise<Answer[]>) {
    this.#answer = answer;
  }

  ask(question: Question): Promise<Answer> {
    const answered = Promise.withResolvers<Answer>();
    this.#asked.push({ question, answered });
    if (this.#asked.length === 1) setImmediate(() => void this.#flush());
    return answered.promise;
  }

  async #flush(): Promise<void> {
    const asked = this.#asked;
    this.#asked = [];
    try {
      const answers = await this.#answer(asked.map(({ question }) => question));
      for (const [index, { answered }] of asked.entries()) answered.resolve(answers[index] as Answer);
    } catch (error) {
      for (const { answered } of asked) answered.reject(error);
    }
  }
}
