import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/** What a process took, from its start to its end. */
export interface Cost {
  readonly seconds: number;
  /** Of the processor, in user mode; other work on the machine weighs less on it. */
  readonly processor: number;
  /** Most memory that was resident, in MiB. */
  readonly memory: number;
}

/** Reports, when the process ends, what it took. Required: after an import Node.js takes no program of ts-node. */
const METER = path.join(__dirname, "meter.cjs");

const ROOT = path.resolve(__dirname, "../..");
const TSC = require.resolve("typescript/bin/tsc");

/**
 * Compiles programs of this folder, as the package and `cdktf.json` have them compiled.
 *
 * @param folder is made, or must be empty
 * @returns where their JavaScript is
 */
export async function compilePrograms(folder: string, names: readonly string[]): Promise<string> {
  fs.mkdirSync(folder, { recursive: true });
  fs.symlinkSync(fs.realpathSync(path.join(ROOT, "node_modules")), path.join(folder, "node_modules"), "dir");
  const settings = path.join(folder, "tsconfig.json");
  const compilerOptions = { noEmit: false, rootDir: ROOT, outDir: folder, types: ["node"] };
  const files = names.map((name) => path.join(__dirname, `${name}.ts`));
  fs.writeFileSync(
    settings,
    JSON.stringify({ extends: path.join(ROOT, "tsconfig.json"), compilerOptions, include: [], files }),
  );
  await runNode([TSC, "--project", settings]);
  return path.join(folder, path.relative(ROOT, __dirname));
}

/** Runs a program of this folder, or a file elsewhere, with these arguments for Node.js before it. */
export async function runProgram(
  file: string,
  args: readonly string[],
  node = ["--import", "tsx"],
): Promise<Cost> {
  const { cost } = await runNode([...node, path.resolve(__dirname, file), ...args], {
    CDKTF_OUTDIR: args[0],
  });
  return cost;
}

/**
 * Runs Node.js with these arguments, and these variables besides its environment; says what it took and wrote.
 *
 * @throws Error with the end of its output for an exit code other than 0
 */
export function runNode(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd?: string,
): Promise<{ readonly cost: Cost; readonly told: string }> {
  const start = performance.now();
  const child = spawn(process.execPath, ["--require", METER, ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let told = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (told += String(data)));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      const seconds = (performance.now() - start) / 1000;
      const [, json] = /^METER (.*)$/m.exec(told) ?? [];
      if (code !== 0 || json === undefined)
        reject(new Error(`node ${args.join(" ")}: exit code ${code}\n${told.slice(-2000)}`));
      else resolve({ cost: { seconds, ...(JSON.parse(json) as Omit<Cost, "seconds">) }, told });
    });
  });
}

/** What a program has synthesized for a stack. */
export const fileOf = (folder: string, program: string, stack: string) =>
  path.join(folder, program, "stacks", stack, "cdk.tf.json");

/** What a synthesized stack has on servers, without addresses; to see that two stacks say the same. */
export function resourcesOf(file: string): string[] {
  const { resource } = JSON.parse(fs.readFileSync(file, "utf8")) as {
    resource: Record<string, Record<string, Record<string, unknown>>>;
  };
  return Object.entries(resource)
    .filter(([type]) => type !== "terraform_data")
    .flatMap(([type, all]) =>
      Object.values(all).map((body) => {
        const { depends_on: needs, lifecycle, ...rest } = body;
        delete rest["//"];
        // Conditions say no more of a resource than when Terraform has to stop.
        const kept = Object.entries(lifecycle ?? {}).filter(([name]) => !name.endsWith("condition"));
        if (kept.length > 0) rest.lifecycle = Object.fromEntries(kept);
        return JSON.stringify([
          type,
          Object.entries(rest).sort(),
          (needs as unknown[] | undefined)?.length ?? 0,
        ]);
      }),
    )
    .sort();
}
