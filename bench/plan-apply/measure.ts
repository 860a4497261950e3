import * as fs from "node:fs";
import * as path from "node:path";
import { inherited } from "../../sandbox/deployment";
import type { Sandbox } from "../../sandbox/sandbox";
import { addedSince, takeSnapshot } from "../../sandbox/snapshot";
import { startCountingProxy } from "./counting-proxy";
import type { Definition } from "./definitions";

/** What one deployment took, from nothing to a plan without changes. */
export interface Deployed {
  readonly resources: number;
  /** Seconds, of all stacks one after the other. */
  readonly plan: number;
  /** Seconds. */
  readonly apply: number;
  /** Seconds for a plan of what stands, which changes nothing. */
  readonly planAgain: number;
  /** What stands on the servers, by name. */
  readonly made: readonly string[];
}

/** What a deployment asked of the servers. */
export interface Requests {
  /** Requests to Vault's API to make all, and to plan once it stands. */
  readonly vault: { readonly apply: number; readonly planAgain: number };
  /** Statements of PostgreSQL. */
  readonly postgres: { readonly apply: number; readonly planAgain: number };
}

/** Deploys that many roles to servers that have none; they are not destroyed, but their servers with them. */
export async function deploy(
  sandbox: Sandbox,
  definition: Definition,
  roles: number,
  env: NodeJS.ProcessEnv = {},
  between: (step: "applied" | "planned") => void = () => undefined,
): Promise<Deployed> {
  const folder = path.join(sandbox.directory, "plan-apply");
  const variables = { ...inherited(process.env), ...sandbox.env, ...env };
  const folders = definition.write(folder, roles, variables);
  let step = 0;
  const terraform = async (cwd: string, args: readonly string[]): Promise<number> => {
    const logFile = path.join(sandbox.directory, `plan-apply-${++step}.log`);
    const command = sandbox.terraform?.path ?? "terraform";
    const started = performance.now();
    const running = sandbox.lifetime.start({ command, args, cwd, env: variables, logFile });
    const code = await running.exited;
    if (code === 0) return (performance.now() - started) / 1_000;
    const log = sandbox.lifetime.redact(fs.readFileSync(logFile, "utf8"));
    throw new Error(`terraform ${args[0]} ended with ${code}\n${log.slice(-3_000)}`);
  };
  const inAll = async (...args: readonly string[]): Promise<number> => {
    let seconds = 0;
    for (const each of folders) seconds += await terraform(each, [...args]);
    return seconds;
  };

  try {
    await inAll("init", "-input=false", "-no-color");
    const before = await takeSnapshot(sandbox);
    const plan = await inAll("plan", "-input=false", "-no-color", "-out=plan");
    const apply = await inAll("apply", "-input=false", "-no-color", "plan");
    between("applied");
    const made = addedSince(before, await takeSnapshot(sandbox));
    const planAgain = await inAll("plan", "-input=false", "-no-color", "-detailed-exitcode");
    between("planned");
    const resources = countResources(folders, folder);
    return { resources, plan, apply, planAgain, made };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Resources in the states below a folder. */
function countResources(folders: readonly string[], root: string): number {
  const files = new Set([...folders, root].flatMap((folder) => statesIn(folder)));
  let count = 0;
  for (const file of files) {
    const state = JSON.parse(fs.readFileSync(file, "utf8")) as { resources: { instances: unknown[] }[] };
    for (const { instances } of state.resources) count += instances.length;
  }
  return count;
}

function statesIn(folder: string): string[] {
  return fs
    .readdirSync(folder)
    .filter((name) => name.endsWith(".tfstate"))
    .map((name) => path.join(folder, name));
}

/** As {@link deploy}, with everything counted that the servers are asked; slower for it. */
export async function count(sandbox: Sandbox, definition: Definition, roles: number): Promise<Requests> {
  const proxy = await startCountingProxy(sandbox.vault.address);
  const superuser = await sandbox.postgres.connect();
  await superuser.query("ALTER SYSTEM SET log_statement = 'all'");
  await superuser.query("SELECT pg_reload_conf()");
  await superuser.end();
  const statements = () =>
    (fs.readFileSync(sandbox.postgres.logFile, "utf8").match(/LOG: {2}(statement|execute)/g) ?? []).length;
  const marks: { vault: number; postgres: number }[] = [];
  const mark = () => void marks.push({ vault: proxy.count(), postgres: statements() });
  try {
    mark();
    await deploy(sandbox, definition, roles, { VAULT_ADDR: proxy.address }, mark);
  } finally {
    await proxy.close();
    const again = await sandbox.postgres.connect();
    await again.query("ALTER SYSTEM RESET log_statement");
    await again.query("SELECT pg_reload_conf()");
    await again.end();
  }
  const [start, applied, planned] = marks as [(typeof marks)[0], (typeof marks)[0], (typeof marks)[0]];
  return {
    vault: { apply: applied.vault - start.vault, planAgain: planned.vault - applied.vault },
    postgres: { apply: applied.postgres - start.postgres, planAgain: planned.postgres - applied.postgres },
  };
}
