import * as fs from "node:fs";
import * as path from "node:path";
import { inherited } from "../../sandbox/deployment";
import type { Sandbox } from "../../sandbox/sandbox";
import { findEngineBinary } from "../../sandbox/engine-binary";
import { PROJECT, type Block } from "./blocks";

/** Makes one bash script of the blocks of a document: commands are run, files written, SQL is sent as the superuser. */
export function scriptOf(blocks: readonly Block[], adapt: (text: string) => string): string {
  const steps = blocks.map((block) => {
    const text = adapt(block.text);
    const title = `echo '== line ${block.line}'`;
    if (block.language === "sh") return `${title}\n${text}`;
    if (block.language === "sql") return `${title}\nas-superuser <<'END'\n${text}END\n`;
    if (block.file !== undefined && block.added) {
      return `${title}\nsed -i.before '/^app.synth();$/d' ${block.file}\ncat >> ${block.file} <<'END'\n${text}app.synth();\nEND\n`;
    }
    if (block.file !== undefined) {
      return `${title}\nmkdir -p "$(dirname ${block.file})"\ncat > ${block.file} <<'END'\n${text}END\n`;
    }
    throw new Error(`line ${block.line}: a block that is neither run nor written to a file`);
  });
  return ["set -euo pipefail", ...steps].join("\n");
}

/**
 * A project of somebody who has installed the package: this checkout stands for what is installed, so that sources, which
 * the package test compiles, are what runs.
 */
export function project(folder: string): void {
  const modules = path.join(folder, "node_modules");
  fs.mkdirSync(path.join(modules, ".bin"), { recursive: true });
  const own = path.join(PROJECT, "node_modules");
  for (const name of fs.readdirSync(own)) {
    if (!name.startsWith(".")) fs.symlinkSync(path.join(own, name), path.join(modules, name));
  }
  fs.symlinkSync(path.join(own, ".bin/cdktf"), path.join(modules, ".bin/cdktf"));
  fs.symlinkSync(path.join(PROJECT, "cli/bin/vault-postgres.js"), path.join(modules, ".bin/vault-postgres"));
  const library = path.join(modules, "cdktf-database-credentials");
  fs.mkdirSync(library);
  fs.writeFileSync(
    path.join(library, "package.json"),
    JSON.stringify({
      name: "cdktf-database-credentials",
      exports: { ".": "./lib.ts", "./stacks": "./stacks.ts" },
    }),
  );
  fs.writeFileSync(
    path.join(library, "lib.ts"),
    `export * from ${JSON.stringify(path.join(PROJECT, "lib"))};\n`,
  );
  fs.writeFileSync(
    path.join(library, "stacks.ts"),
    `export * from ${JSON.stringify(path.join(PROJECT, "stacks"))};\n`,
  );
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: "project", private: true }));
  fs.writeFileSync(
    path.join(folder, "cdktf.json"),
    JSON.stringify({
      language: "typescript",
      app: "node --import tsx main.ts",
      projectId: "p",
      sendCrashReports: "false",
    }),
  );
}

/** A document's text with the sandbox's servers in the place of those that documents name. */
export function withServersOf(sandbox: Sandbox, text: string): string {
  const { host, port } = sandbox.postgres;
  return (
    text
      // Asks the registry for the checksums of plugins.
      .replaceAll(/cdktf (?:diff|deploy|destroy) .*|vault-postgres destroy .*/g, "$& --skip-provider-lock")
      .replaceAll("https://vault.example.com:8200", sandbox.vault.address)
      .replace("export PGHOST=db.example.com", `export PGHOST=${host} PGPORT=${port}`)
      .replaceAll("db.example.com:5432", `${host}:${port}`)
      .replaceAll("sslmode=verify-full", "sslmode=disable")
      .replaceAll(/host( *)= "db.example.com"/g, `host = "${host}"\n  port = ${port}\n  sslmode = "disable"`)
      .replaceAll(
        /host: "db.example.com",\s+username/g,
        `host: "${host}", port: ${port}, sslmode: "disable", username`,
      )
      .replaceAll('host: "db.example.com"', `host: "${host}", port: ${port}, sslMode: "disable"`)
  );
}

/** The programs that a document takes for granted, as a folder for the PATH. */
export async function programs(sandbox: Sandbox, name: string): Promise<string> {
  const folder = path.join(sandbox.directory, `programs-${name}`);
  fs.mkdirSync(folder);
  const tsx = path.join(PROJECT, "node_modules/tsx/dist/loader.mjs");
  const psql = `"${process.execPath}" --import "${tsx}" "${path.join(PROJECT, "test/docs/psql.ts")}"`;
  const program = (file: string, line: string) =>
    fs.writeFileSync(path.join(folder, file), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  program("psql", `exec ${psql} "$@"`);
  const { superuser, superuserPassword } = sandbox.postgres;
  program(
    "as-superuser",
    `PGPASSWORD=${superuserPassword} exec ${psql} --username=${superuser} --file=/dev/stdin "\${1:-postgres}"`,
  );
  program("terraform", `exec "${sandbox.terraform?.path ?? "terraform"}" "$@"`);
  // The sandbox has brought it already.
  const download = () => Promise.reject(new Error("the engine's program is not there"));
  const engine = await findEngineBinary({ env: process.env, download });
  for (const file of ["vault", "bao"]) fs.symlinkSync(engine.path, path.join(folder, file));
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
    env: {
      ...env,
      CI: "1",
      FORCE_COLOR: "0",
      ...options.env,
      PATH: [options.programs, env.PATH].join(path.delimiter),
    },
    logFile,
  });
  const code = await running.exited;
  const log = sandbox.lifetime.redact(fs.readFileSync(logFile, "utf8"));
  if (code !== 0) throw new Error(`exit code ${code}\n${log.slice(-4000)}`);
  // eslint-disable-next-line no-control-regex -- Terraform's colours
  return log.replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, "");
}
