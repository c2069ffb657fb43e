/** The next items of a stream, or all that are left when no number is given. */
export async function collect<T>(stream: AsyncIterator<T>, count = Number.POSITIVE_INFINITY): Promise<T[]> {
  const items: T[] = [];
  while (items.length < count) {
    const { done, value } = await stream.next();
    if (done) break;
    items.push(value);
  }
  return items;
}
