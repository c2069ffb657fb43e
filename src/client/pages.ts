interface Page<T> {
  nodes: T[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** The items of a connection, a page at a time as they are taken; none when there is no such connection. */
export async function* pages<T>(
  read: (after: string | null) => Promise<Page<T> | null>,
): AsyncGenerator<T, void, undefined> {
  let after: string | null = null;
  for (;;) {
    const page: Page<T> | null = await read(after);
    if (page === null) return;
    yield* page.nodes;
    if (!page.pageInfo.hasNextPage) return;
    after = page.pageInfo.endCursor;
  }
}
