// Durations in the notation that the servers read and write, "1h30m".

export function goDuration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = seconds % 60;
  const parts = [hours > 0 ? `${hours}h` : "", minutes > 0 ? `${minutes}m` : "", rest > 0 ? `${rest}s` : ""];
  // Between two parts that are there, one that is nought is written out: 1h0m5s.
  if (hours > 0 && rest > 0 && minutes === 0) {
    parts[1] = "0m";
  }
  return parts.join("") || "0s";
}

const UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };

/** Undefined where the text is no such duration. */
export function durationSeconds(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?[hms])+$/.test(text)) {
    return undefined;
  }
  let seconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)([hms])/g)) {
    seconds += Number(amount) * (UNITS[unit ?? "s"] ?? 0);
  }
  return seconds;
}
