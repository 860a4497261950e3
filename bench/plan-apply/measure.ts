import * as fs from "node:fs";
import * as path from "node:path";
import { commandFailed, inherited } from "../../sandbox/deployment";
import type { Sandbox } from "../../sandbox/sandbox";
import { addedSince, takeSnapshot } from "../../sandbox/snapshot";
import { startCountingProxy } from "../counting-proxy";
import { PostgresLog } from "../postgres-log";
import { loginsOf, type Case, type Definition } from "./definitions";

/** In this order; `planAgain` is a plan of what stands, which changes nothing. */
export const STEPS = ["plan", "apply", "planAgain"] as const;
export type Step = (typeof STEPS)[number];

/** What one deployment took, from nothing to a plan without changes. */
export interface Deployed {
  /** Seconds, of all stacks one after the other; the step that was given up is not there, nor are those after it. */
  readonly seconds: Readonly<Partial<Record<Step, number>>>;
  /** Absent if the apply was given up. */
  readonly made?: {
    /** What stands on the servers. */
    readonly names: readonly string[];
    readonly resources: number;
  };
}

/** How many seconds each step may take before it is given up. */
export type Limits = Readonly<Record<Step, number>>;

export interface DeployOptions {
  /** @default - none */
  readonly limits?: Limits;
  /** Those to do, from the first on. @default STEPS */
  readonly steps?: readonly Step[];
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

/** Database for a state that is kept in PostgreSQL. */
const STATE_DATABASE = "terraform_state";

/** Deploys to servers that have nothing yet; it is not destroyed, but its servers with it. */
export async function deploy(
  sandbox: Sandbox,
  definition: Definition,
  of: Case,
  { limits, steps = STEPS, env = {}, onStep = () => undefined }: DeployOptions = {},
): Promise<Deployed> {
  const folder = path.join(sandbox.directory, "plan-apply");
  const variables = {
    ...inherited(process.env),
    ...sandbox.env,
    // Of the token that the provider makes itself; a plan or an apply may take longer than its 20 minutes.
    TERRAFORM_VAULT_MAX_TTL: "86400",
    PG_CONN_STR: `postgres:///${STATE_DATABASE}?sslmode=disable`,
    ...env,
  };
  const folders = definition.write(folder, of, variables);
  const inAll = async (limitSeconds: number, ...args: readonly string[]): Promise<number> => {
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
  let made: Deployed["made"];
  try {
    await prepare(sandbox, loginsOf(of));
    await inAll(Infinity, "init", ...common);
    const before = await takeSnapshot(sandbox);
    for (const step of steps) {
      seconds[step] = await inAll(limits?.[step] ?? Infinity, ...commands[step]);
      if (step === "apply") {
        made = {
          names: addedSince(before, await takeSnapshot(sandbox)),
          resources: folders.reduce((sum, cwd) => sum + resourcesAdded(logOf(cwd, "apply")), 0),
        };
      }
      onStep(step);
    }
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return { seconds, made };
}

/** Makes the database for the state, and logins with the rights of the one that deploys. */
async function prepare({ postgres, deployer }: Sandbox, logins: readonly string[]): Promise<void> {
  const superuser = await postgres.connect();
  try {
    for (const login of logins) {
      const password = superuser.escapeLiteral(deployer.postgresPassword);
      await superuser.query(`CREATE ROLE ${login} LOGIN CREATEDB CREATEROLE PASSWORD ${password}`);
      await superuser.query(`GRANT CONNECT ON DATABASE postgres TO ${login}`);
    }
    await superuser.query(`CREATE DATABASE ${STATE_DATABASE} OWNER ${deployer.postgresUser}`);
  } finally {
    await superuser.end();
  }
}

/** A step took longer than it may. */
class GivenUp extends Error {}

/**
 * Seconds that Terraform takes.
 *
 * @throws GivenUp if it takes longer than it may; UserError if it fails
 */
async function terraform(
  sandbox: Sandbox,
  cwd: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  limitSeconds: number,
): Promise<number> {
  const command = sandbox.terraform?.path ?? "terraform";
  const what = args[0] ?? "";
  const logFile = logOf(cwd, what);
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
  if (givenUp) throw new GivenUp(what);
  if (code !== 0) throw commandFailed(`terraform ${what}`, code, logFile, sandbox);
  return (performance.now() - started) / 1_000;
}

function logOf(cwd: string, command: string): string {
  return path.join(cwd, `${command}.log`);
}

/** As the log of an apply says at its end. */
function resourcesAdded(logFile: string): number {
  const [, added] = /^Apply complete! Resources: (\d+) added/m.exec(fs.readFileSync(logFile, "utf8")) ?? [];
  if (added === undefined) throw new Error("The apply does not say how many resources it made.");
  return Number(added);
}

/** As {@link deploy}, with everything counted that the servers are asked; slower for it. */
export async function count(sandbox: Sandbox, definition: Definition, of: Case): Promise<Requests> {
  const proxy = await startCountingProxy(sandbox.vault.address);
  const log = await PostgresLog.start(sandbox);
  const counts: { vault: number; postgres: number }[] = [];
  const onStep = (step: Step) => {
    if (step === "plan") return;
    counts.push({ vault: proxy.count(), postgres: log.next().statements });
    proxy.reset();
  };
  try {
    const { made } = await deploy(sandbox, definition, of, { env: { VAULT_ADDR: proxy.address }, onStep });
    const [apply, planAgain] = counts;
    if (made === undefined || apply === undefined || planAgain === undefined) {
      throw new Error("The deployment did not come to its end.");
    }
    return {
      vault: { apply: apply.vault, planAgain: planAgain.vault },
      postgres: { apply: apply.postgres, planAgain: planAgain.postgres },
      resources: made.resources,
    };
  } finally {
    await proxy.close();
  }
}
