const AT_A_TIME = 8;

/**
 * Does the same for each item, a few at a time, and returns the results in the items' order. Where one throws, no further
 * item is begun.
 */
export async function concurrently<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  atATime = AT_A_TIME,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) {
      try {
        results[index] = await work(items[index] as T);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, items.length) }, worker));
  return results;
}
