import { createHash, randomBytes } from "node:crypto";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { cacheFolder } from "../../sandbox/engine-binary";
import { findOnPath } from "../../sandbox/executable";

export type PythonPackages =
  | { readonly python: string; readonly folder: string }
  | { readonly python?: undefined; readonly reason: string };

/**
 * Python with the packages of a hash-pinned requirements file, kept in the user's cache folder; or why there is none.
 * Works while jest collects the tests, for which it takes some seconds, once.
 */
export function pythonPackages(requirements: string): PythonPackages {
  const python = findOnPath("python3", process.env);
  if (python === undefined) return { reason: "there is no python3 on the PATH" };
  const version = execFileSync(python, ["--version"], { encoding: "utf8" });
  const hash = createHash("sha256").update(version).update(fs.readFileSync(requirements)).digest("hex");
  const folder = path.join(cacheFolder(process.env), `python-${hash.slice(0, 16)}`);
  if (fs.existsSync(folder)) return { python, folder };

  // Under another name first, so that runs at the same time do not see half of it.
  const work = `${folder}.${randomBytes(6).toString("hex")}`;
  const { status, stderr, error } = spawnSync(
    python,
    [
      ...[
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--only-binary=:all:",
      ],
      ...["--require-hashes", "--requirement", requirements, "--target", work],
    ],
    { encoding: "utf8", timeout: 300_000 },
  );
  if (status !== 0) {
    fs.rmSync(work, { recursive: true, force: true });
    return { reason: `pip cannot install them: ${error?.message ?? stderr.trim().split("\n").pop()}` };
  }
  try {
    fs.renameSync(work, folder);
  } catch {
    // Another run was first.
    fs.rmSync(work, { recursive: true, force: true });
  }
  return { python, folder };
}
