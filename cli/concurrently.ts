const AT_A_TIME = 8;

/**
 * Does the same for each item, a few at a time, and returns the results in the items' order. After an error it begins no
 * other, and throws it when those under way have ended.
 */
export async function concurrently<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  const errors: unknown[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length && errors.length === 0; index = next++) {
      try {
        results[index] = await work(items[index] as T);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, items.length) }, worker));
  if (errors.length > 0) throw errors[0];
  return results;
}
