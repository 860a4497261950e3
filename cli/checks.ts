import { performance } from "node:perf_hooks";
import { describeError } from "./errors";

export interface Check {
  /** What is checked, such as `log in to PostgreSQL`. */
  readonly name: string;
  /** Whom it concerns, such as `orders-dev-web as reader`. */
  readonly subject: string;
  readonly result: "ok" | "failed" | "skipped";
  /** What was seen, or why it was skipped. Never a secret. */
  readonly detail: string;
  readonly ms: number;
}

/** Thrown by a check that does not apply here. */
export class Skip extends Error {}

/** Thrown by a check that does not hold; its message is what was seen instead. */
export class Failure extends Error {}

/** Runs checks one after the other and keeps what came out. */
export class CheckList {
  readonly checks: Check[] = [];
  private readonly secrets = new Set<string>();

  constructor(private readonly onCheck: (check: Check) => void = () => undefined) {}

  /** A value that must not show in any detail, whatever error it is part of. */
  conceal(secret: string): void {
    if (secret !== "") this.secrets.add(secret);
  }

  /**
   * Runs one check: it holds if the function returns, with what it returned as the detail, and if that is a
   * {@link Result}, the value is passed on. Returns undefined for a check that failed or was skipped.
   */
  async run<T>(name: string, subject: string, check: () => Promise<Result<T>>): Promise<T | undefined> {
    const start = performance.now();
    const add = (result: Check["result"], detail: string) => {
      const ms = Math.round(performance.now() - start);
      const entry: Check = { name, subject, result, detail: this.clean(detail), ms };
      this.checks.push(entry);
      this.onCheck(entry);
    };
    try {
      const { value, detail } = await check();
      add("ok", detail);
      return value;
    } catch (error) {
      add(error instanceof Skip ? "skipped" : "failed", describeError(error));
      return undefined;
    }
  }

  /** A check without a value: it holds if the function returns, with what it returned as the detail. */
  async expect(name: string, subject: string, check: () => Promise<string>): Promise<boolean> {
    const held = await this.run(name, subject, async () => ({ value: true, detail: await check() }));
    return held === true;
  }

  skip(name: string, subject: string, reason: string): Promise<unknown> {
    return this.run(name, subject, () => Promise.reject(new Skip(reason)));
  }

  private clean(text: string): string {
    const oneLine = text.replace(/\s+/g, " ").trim();
    return [...this.secrets].reduce((shown, secret) => shown.replaceAll(secret, "[secret]"), oneLine);
  }
}

export interface Result<T> {
  readonly value: T;
  readonly detail: string;
}

/** Waits until a condition holds. Throws {@link Failure} after the time given. */
export async function eventually(
  what: string,
  timeoutMs: number,
  condition: () => Promise<boolean> | boolean,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Failure(`${what}: not within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
