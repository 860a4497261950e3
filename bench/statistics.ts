/** @throws RangeError without values */
export function quantile(values: readonly number[], fraction: number): number {
  if (values.length === 0) throw new RangeError("No values, so no quantile.");
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * fraction;
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Median and, in brackets, the tenth and ninetieth percentile. */
export function spread(values: readonly number[], digits = 1): string {
  const [low, high] = [quantile(values, 0.1), quantile(values, 0.9)];
  return `${median(values).toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

/** Median of the ratios of values measured in the same round. */
export function medianRatio(values: readonly number[], base: readonly number[]): number {
  if (values.length !== base.length) throw new RangeError("A ratio needs a base from the same round.");
  return median(values.map((value, round) => value / (base[round] ?? NaN)));
}
