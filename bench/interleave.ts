export type Samples<Variant extends string, Measure extends string> = Record<
  Variant,
  Record<Measure, number[]>
>;

/**
 * Measures variants in turns, each round beginning with another one, so that whatever the machine does meanwhile meets
 * all of them; index n of every list is from round n.
 *
 * @param options.warmUp rounds that are run and not kept
 */
export async function interleave<Variant extends string, Measure extends string>(
  variants: readonly Variant[],
  options: { readonly rounds: number; readonly warmUp: number },
  measure: (variant: Variant) => Promise<Record<Measure, number>>,
): Promise<Samples<Variant, Measure>> {
  const samples = {} as Samples<Variant, Measure>;
  for (let round = -options.warmUp; round < options.rounds; round++) {
    const first = (round + options.warmUp) % variants.length;
    for (const variant of [...variants.slice(first), ...variants.slice(0, first)]) {
      const measured = await measure(variant);
      if (round < 0) continue;
      const kept = (samples[variant] ??= {} as Record<Measure, number[]>);
      for (const [name, value] of Object.entries(measured) as [Measure, number][]) {
        (kept[name] ??= []).push(value);
      }
    }
  }
  return samples;
}

/** Milliseconds that some work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
