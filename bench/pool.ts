/** Does some work a number of times, so many at a time; the first failure ends it. */
export async function times(
  count: number,
  concurrency: number,
  work: (index: number, worker: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const worker = async (_: unknown, number: number) => {
    while (next < count && !failed) {
      try {
        await work(next++, number);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(concurrency, count) }, worker));
  const failure = ends.find((end) => end.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}

/** How often a second some work is done by so many workers, each of which begins again when it is done. */
export async function rate(
  seconds: number,
  workers: number,
  work: (worker: number) => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  let done = 0;
  const loop = async (_: unknown, worker: number) => {
    while (performance.now() - start < seconds * 1_000) {
      await work(worker);
      done++;
    }
  };
  await Promise.all(Array.from({ length: workers }, loop));
  return (done * 1_000) / (performance.now() - start);
}
