export type Samples<Variant extends string, Measure extends string> = Record<
  Variant,
  Record<Measure, number[]>
>;

export interface Turns {
  readonly rounds: number;
  /** Rounds that are run before and not kept. */
  readonly warmUp: number;
}

/**
 * Measures variants in turns, each round beginning with another one, so that whatever the machine does meanwhile meets
 * all of them; index n of every list is from round n.
 */
export async function interleave<Variant extends string, Measure extends string>(
  variants: readonly Variant[],
  { rounds, warmUp }: Turns,
  measure: (variant: Variant) => Promise<Record<Measure, number>>,
): Promise<Samples<Variant, Measure>> {
  const samples = {} as Samples<Variant, Measure>;
  for (let round = -warmUp; round < rounds; round++) {
    const first = (round + warmUp) % variants.length;
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

/** As {@link interleave}, with what there is to know of each variant, by its name. */
export function interleaveCases<Case, Measure extends string>(
  cases: ReadonlyMap<string, Case>,
  turns: Turns,
  measure: (of: Case, name: string) => Promise<Record<Measure, number>>,
): Promise<Samples<string, Measure>> {
  return interleave([...cases.keys()], turns, (name) => measure(cases.get(name)!, name));
}

/** Milliseconds that some work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
