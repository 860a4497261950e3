import { execFile, type ExecFileOptions } from "node:child_process";

/** What a program has said, whether it failed or not. */
export interface Said {
  readonly stdout: string;
  readonly stderr: string;
  /** Absent where it ended with 0. */
  readonly error?: Error;
}

/**
 * Runs a program to its end. What it says may be of any length: Node ends one that says more than 1 MiB otherwise, which the
 * outputs of some 800 roles are.
 *
 * @param input what to write to its standard input
 */
export function runProgram(
  command: string,
  args: readonly string[],
  options: Pick<ExecFileOptions, "cwd" | "env">,
  input?: string,
): Promise<Said> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      { ...options, encoding: "utf8", maxBuffer: Infinity },
      (error, stdout, stderr) => resolve({ stdout, stderr, ...(error && { error }) }),
    );
    // It may end without reading.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}
