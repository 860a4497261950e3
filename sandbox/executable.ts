import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

export const EXECUTABLE_SUFFIX = process.platform === "win32" ? ".exe" : "";

/** The program that a shell would run for a name, or undefined. */
export function findOnPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  for (const folder of (env.PATH ?? "").split(path.delimiter)) {
    if (folder === "") continue;
    const candidate = path.resolve(folder, name + EXECUTABLE_SUFFIX);
    if (isExecutable(candidate)) return candidate;
  }
  return undefined;
}

export function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Standard output of a short-lived command. Rejects if it fails or takes over `timeoutMs`. */
export function outputOf(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  timeoutMs = 20_000,
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { env, encoding: "utf8", timeout: timeoutMs }, (error, stdout) => {
      if (error) reject(new Error(error.message));
      else resolve(stdout);
    });
  });
}

/** Compares versions by their numbers: whether `version` is `minimum` or later. */
export function isAtLeast(version: string, minimum: string): boolean {
  const [a, b] = [version, minimum].map((text) => text.split(/[.\-+]/, 3).map(Number));
  for (let index = 0; index < 3; index++) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
