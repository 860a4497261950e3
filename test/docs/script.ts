import * as fs from "node:fs";
import * as path from "node:path";
import { inherited } from "../../sandbox/deployment";
import type { Sandbox } from "../../sandbox/sandbox";
import { PROJECT, type Block } from "./blocks";

/** Makes one bash script of the blocks of a document: commands are run, files written, SQL is sent as the superuser. */
export function scriptOf(blocks: readonly Block[], adapt: (text: string) => string): string {
  const steps = blocks.map((block) => {
    const text = adapt(block.text);
    const title = `echo '== line ${block.line}'`;
    if (block.language === "sh") return `${title}\n${text}`;
    if (block.language === "sql") return `${title}\nas-superuser <<'END'\n${text}END\n`;
    if (block.file !== undefined) return `${title}\ncat > ${block.file} <<'END'\n${text}END\n`;
    throw new Error(`line ${block.line}: a block that is neither run nor written to a file`);
  });
  return ["set -euo pipefail", ...steps].join("\n");
}

/** The programs that a document takes for granted, as a folder for the PATH. */
export function programs(sandbox: Sandbox, engineProgram: string): string {
  const folder = path.join(sandbox.directory, "programs");
  fs.mkdirSync(folder);
  const tsx = path.join(PROJECT, "node_modules/tsx/dist/loader.mjs");
  const psql = `"${process.execPath}" --import "${tsx}" "${path.join(PROJECT, "test/docs/psql.ts")}"`;
  const program = (name: string, line: string) =>
    fs.writeFileSync(path.join(folder, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  program("psql", `exec ${psql} "$@"`);
  const { superuser, superuserPassword } = sandbox.postgres;
  program(
    "as-superuser",
    `PGPASSWORD=${superuserPassword} exec ${psql} --username=${superuser} --file=/dev/stdin "\${1:-postgres}"`,
  );
  for (const name of ["vault", "bao"]) fs.symlinkSync(engineProgram, path.join(folder, name));
  return folder;
}

/** Runs a script to its end; throws with the last it printed if it fails. */
export async function run(
  sandbox: Sandbox,
  script: string,
  options: { readonly cwd: string; readonly programs: string; readonly env: NodeJS.ProcessEnv },
): Promise<string> {
  fs.writeFileSync(path.join(options.cwd, "script.sh"), script, { mode: 0o600 });
  const logFile = path.join(sandbox.directory, "script.log");
  const env = inherited(process.env);
  const running = sandbox.lifetime.start({
    command: "bash",
    args: [path.join(options.cwd, "script.sh")],
    cwd: options.cwd,
    env: { ...env, ...options.env, PATH: [options.programs, env.PATH].join(path.delimiter) },
    logFile,
  });
  const code = await running.exited;
  const log = sandbox.lifetime.redact(fs.readFileSync(logFile, "utf8"));
  if (code !== 0) throw new Error(`exit code ${code}\n${log.slice(-4000)}`);
  return log;
}
