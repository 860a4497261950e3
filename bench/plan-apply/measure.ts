import * as fs from "node:fs";
import * as path from "node:path";
import { inherited } from "../../sandbox/deployment";
import type { Sandbox } from "../../sandbox/sandbox";
import { addedSince, takeSnapshot } from "../../sandbox/snapshot";
import { startCountingProxy } from "./counting-proxy";
import type { Definition, Size } from "./definitions";

/** In this order; `planAgain` is a plan of what stands, which changes nothing. */
export const STEPS = ["plan", "apply", "planAgain"] as const;
export type Step = (typeof STEPS)[number];

/** What one deployment took, from nothing to a plan without changes. */
export interface Deployed {
  /** Seconds, of all stacks one after the other; the step that was given up is not there, nor are those after it. */
  readonly seconds: Readonly<Partial<Record<Step, number>>>;
  readonly resources: number;
  /** What stands on the servers, by name; absent if the apply was given up. */
  readonly made?: readonly string[];
}

export interface DeployOptions {
  /** How long a step may take before it is given up. */
  readonly limitSeconds?: number;
  /** Added to the environment of Terraform. */
  readonly env?: NodeJS.ProcessEnv;
  readonly onStep?: (step: Step) => void;
}

/** What a deployment asked of the servers. */
export interface Requests {
  /** Requests to Vault's API to make all, and to plan once it stands. */
  readonly vault: { readonly apply: number; readonly planAgain: number };
  /** Statements of PostgreSQL. */
  readonly postgres: { readonly apply: number; readonly planAgain: number };
  readonly resources: number;
}

/** Deploys to servers that have nothing yet; it is not destroyed, but its servers with it. */
export async function deploy(
  sandbox: Sandbox,
  definition: Definition,
  size: Size,
  { limitSeconds = Infinity, env = {}, onStep = () => undefined }: DeployOptions = {},
): Promise<Deployed> {
  const folder = path.join(sandbox.directory, "plan-apply");
  const variables = { ...inherited(process.env), ...sandbox.env, ...env };
  const folders = definition.write(folder, size, variables);
  const inAll = async (...args: readonly string[]): Promise<number> => {
    let seconds = 0;
    for (const cwd of folders) {
      seconds += await terraform(sandbox, cwd, args, variables, limitSeconds - seconds);
    }
    return seconds;
  };
  const common = ["-input=false", "-no-color"];
  const commands: Record<Step, readonly string[]> = {
    plan: ["plan", ...common, "-out=plan"],
    apply: ["apply", ...common, "plan"],
    planAgain: ["plan", ...common, "-detailed-exitcode"],
  };

  const seconds: Partial<Record<Step, number>> = {};
  let made: string[] | undefined;
  try {
    await inAll("init", ...common);
    const before = await takeSnapshot(sandbox);
    for (const step of STEPS) {
      seconds[step] = await inAll(...commands[step]);
      if (step === "apply") made = addedSince(before, await takeSnapshot(sandbox));
      onStep(step);
    }
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
  } finally {
    if (seconds.apply === undefined) fs.rmSync(folder, { recursive: true, force: true });
  }
  if (seconds.apply === undefined) return { seconds, resources: 0 };
  const resources = countResources(folders, folder);
  fs.rmSync(folder, { recursive: true, force: true });
  return { seconds, resources, made };
}

/** A step took longer than it may. */
class GivenUp extends Error {}

/**
 * Seconds that Terraform takes.
 *
 * @throws GivenUp if it takes longer than it may; Error if it fails
 */
async function terraform(
  sandbox: Sandbox,
  cwd: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  limitSeconds: number,
): Promise<number> {
  const command = sandbox.terraform?.path ?? "terraform";
  const logFile = path.join(cwd, `${args[0]}.log`);
  const started = performance.now();
  const running = sandbox.lifetime.start({ command, args, cwd, env, logFile });
  let givenUp = false;
  // setTimeout takes no more than 31 bits.
  const timer = setTimeout(
    () => {
      givenUp = true;
      void running.stop("SIGINT", 2_000);
    },
    Math.min(limitSeconds * 1_000, 2 ** 31 - 1),
  );
  const code = await running.exited;
  clearTimeout(timer);
  if (givenUp) throw new GivenUp(`terraform ${args[0]}`);
  if (code === 0) return (performance.now() - started) / 1_000;
  const log = sandbox.lifetime.redact(fs.readFileSync(logFile, "utf8"));
  throw new Error(`terraform ${args[0]} ended with ${code}\n${log.slice(-3_000)}`);
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
export async function count(sandbox: Sandbox, definition: Definition, size: Size): Promise<Requests> {
  const proxy = await startCountingProxy(sandbox.vault.address);
  const superuser = await sandbox.postgres.connect();
  await superuser.query("ALTER SYSTEM SET log_statement = 'all'");
  await superuser.query("SELECT pg_reload_conf()");
  await superuser.end();
  const statements = () =>
    (fs.readFileSync(sandbox.postgres.logFile, "utf8").match(/LOG: {2}(statement|execute)/g) ?? []).length;
  const marks: { vault: number; postgres: number }[] = [];
  const mark = () => void marks.push({ vault: proxy.count(), postgres: statements() });
  let resources: number;
  try {
    mark();
    const onStep = (step: Step) => step !== "plan" && mark();
    ({ resources } = await deploy(sandbox, definition, size, { env: { VAULT_ADDR: proxy.address }, onStep }));
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
    resources,
  };
}
