import type { Goal } from "./benchmark";
import { medianRatio } from "./statistics";
import { OURS, TITLES, type Variant } from "./variants";

/** Milliseconds of each round, by variant. */
export type Steps = Record<Variant, { readonly issue: number[]; readonly revoke: number[] }>;

/** Times what the bare statement costs. */
const MOST = { issue: 1.25, revoke: 1.6 };

/**
 * The goals of whatever grows: ours costs the same at all sizes, and little more than the bare statement. What grows is
 * compared as a multiple of the bare statement at the same size, so that the server's own share is not counted.
 *
 * @param what grows, such as `tables`
 */
export function costGoals(
  bySize: ReadonlyMap<number, Pick<Steps, "bare" | (typeof OURS)[number]>>,
  what: string,
): Goal[] {
  const sizes = [...bySize.keys()];
  return OURS.flatMap((variant) =>
    (["issue", "revoke"] as const).flatMap((step) => {
      const ratios = [...bySize.values()].map((steps) => medianRatio(steps[variant][step], steps.bare[step]));
      const growth = (ratios.at(-1) ?? NaN) / (ratios[0] ?? NaN);
      const worst = Math.max(...ratios);
      return [
        {
          text: `${TITLES[variant]}, ${step}: flat within 20 % from ${sizes[0]} to ${sizes.at(-1)} ${what}`,
          measured: `${growth.toFixed(2)} times`,
          met: Math.abs(growth - 1) <= 0.2,
        },
        {
          text: `${TITLES[variant]}, ${step}: within ${MOST[step]} times the bare statement at any number of ${what}`,
          measured: `${worst.toFixed(2)} times at most`,
          met: worst <= MOST[step],
        },
      ];
    }),
  );
}
