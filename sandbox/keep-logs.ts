import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Sandbox } from "./sandbox";

/** Copies the logs of a sandbox, without its secrets, to a folder that outlives it, and returns the folder. */
export function keepLogs({ directory, lifetime }: Sandbox): string {
  const kept = fs.mkdtempSync(path.join(os.tmpdir(), "cdktf-sandbox-logs-"));
  for (const name of fs.readdirSync(directory).filter((file) => file.endsWith(".log"))) {
    const text = fs.readFileSync(path.join(directory, name), "utf8");
    fs.writeFileSync(path.join(kept, name), lifetime.redact(text), { mode: 0o600 });
  }
  return kept;
}
