import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { UserError } from "../cli/errors";

/**
 * A new folder for one sandbox. As root the PostgreSQL server runs as another user, who has to reach its data through
 * every folder above; a private TMPDIR such as one below /root would shut it out.
 */
export function makeTemporaryFolder(): string {
  const asRoot = process.getuid?.() === 0;
  const candidates = [os.tmpdir(), "/tmp", "/var/tmp"].filter((folder) => fs.existsSync(folder));
  const parent = asRoot ? candidates.find(isReachableByAll) : candidates[0];
  if (parent === undefined) {
    throw new UserError(
      `No temporary folder that other users can reach: tried ${candidates.join(", ")}.`,
      "As root, PostgreSQL runs as another user. Set TMPDIR to a folder with mode 1777, or run as a normal user.",
    );
  }
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(parent, "cdktf-sandbox-")));
  // Passage for the server's user, no more: what is secret in it has mode 600.
  if (asRoot) fs.chmodSync(directory, 0o711);
  return directory;
}

/** Whether any user may pass through a folder and all those above it. */
export function isReachableByAll(folder: string): boolean {
  for (let current = fs.realpathSync(folder); ; current = path.dirname(current)) {
    if ((fs.statSync(current).mode & 0o001) === 0) return false;
    if (current === path.dirname(current)) return true;
  }
}
