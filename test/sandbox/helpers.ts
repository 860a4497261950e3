import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** A folder for one test file, removed by the function returned. */
export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sandbox-test-"));
  return { folder, remove: () => fs.rmSync(folder, { recursive: true, force: true }) };
}

/** A program that prints one text whatever it is asked, at its place in a folder that can be on a PATH. */
export function fakeProgram(folder: string, name: string, prints: string): string {
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, name);
  fs.writeFileSync(file, `#!/bin/sh\ncat <<'END'\n${prints}\nEND\n`, { mode: 0o755 });
  return file;
}

/** What a promise was rejected with, as a user would see it. */
export async function problemOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    const { message, remedy } = error as Error & { remedy?: string };
    return `${message}\n${remedy ?? ""}`;
  }
  throw new Error("it was not rejected");
}

export async function until(condition: () => boolean, timeoutMs: number, what: string): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
