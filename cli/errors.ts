/** A problem that the user can solve: what is wrong, and what to do next. Shown without a stack trace. */
export class UserError extends Error {
  constructor(
    problem: string,
    readonly remedy?: string,
    /** What a machine is told besides, with `--json`. */
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(problem);
    this.name = "UserError";
  }
}

/** What to print for any thrown value: a message, the remedy if there is one, never a stack trace. */
export function describeError(error: unknown): string {
  if (error instanceof UserError && error.remedy !== undefined) return `${error.message}\n${error.remedy}`;
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map((inner) => describeError(inner)).join("; ");
  }
  return error instanceof Error ? error.message : String(error);
}
