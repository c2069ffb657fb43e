/** Deadlock and serialisation failure: Postgres has undone everything, so the same statement may simply be sent again. */
const retryable = new Set(["40P01", "40001"]);

/** Runs a statement or transaction again, at most twice, when Postgres chose it as the victim of a conflict. */
export async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 3 || !retryable.has((error as { code?: string }).code ?? "")) throw error;
    }
  }
}
