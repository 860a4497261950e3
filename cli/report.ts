import type { Check } from "./checks";

const MARKS: Readonly<Record<Check["result"], string>> = { ok: "ok", failed: "FAILED", skipped: "skipped" };

/** One check, as a line to follow while they run. */
export function progressLine(check: Check): string {
  return `  ${MARKS[check.result].padEnd(7)} ${check.subject}: ${check.name} — ${check.detail}`;
}

/** The checks as a table, by subject, in the order they ran in. */
export function table(checks: readonly Check[]): string {
  const subjects = [...new Set(checks.map((check) => check.subject))];
  const width = Math.max(0, ...checks.map((check) => check.name.length));
  const lines = subjects.flatMap((subject) => [
    subject,
    ...checks
      .filter((check) => check.subject === subject)
      .map((check) => {
        const time = `${check.ms} ms`.padStart(9);
        const detail = check.result === "ok" ? "" : `  ${check.detail}`;
        return `  ${check.name.padEnd(width)}  ${MARKS[check.result].padEnd(7)} ${time}${detail}`;
      }),
  ]);
  return lines.join("\n");
}

/** How many of each. */
export function summary(checks: readonly Check[]): string {
  const count = (result: Check["result"]) => checks.filter((check) => check.result === result).length;
  return `${checks.length} checks: ${count("ok")} ok, ${count("failed")} failed, ${count("skipped")} skipped`;
}

/** Whether the environment is proven: nothing failed, and something was checked. */
export function allHeld(checks: readonly Check[]): boolean {
  return checks.some((check) => check.result === "ok") && !checks.some((check) => check.result === "failed");
}
