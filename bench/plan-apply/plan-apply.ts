import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { DEFINITIONS, type Definition } from "./definitions";
import { count, deploy, type Deployed } from "./measure";

/** One line of the result. */
export interface PlanApplyRow {
  readonly definition: string;
  readonly roles: number;
  readonly resources: number;
  /** Seconds. */
  readonly plan: number;
  /** Seconds. */
  readonly apply: number;
  /** Seconds. */
  readonly planAgain: number;
}

/** What one more role costs. */
export interface CostPerRole {
  readonly definition: string;
  readonly vault: { readonly apply: number; readonly planAgain: number };
  readonly postgres: { readonly apply: number; readonly planAgain: number };
}

export interface PlanApplyResult {
  readonly rows: readonly PlanApplyRow[];
  readonly costs: readonly CostPerRole[];
  /** Of the programs that took part. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface PlanApplyOptions {
  /** How many roles to deploy, one after the other. */
  readonly sizes: readonly number[];
  /** Two numbers of roles; what the servers are asked is the difference, by role. */
  readonly counted: readonly [number, number];
  readonly onProgress?: (line: string) => void;
}

export const QUICK: PlanApplyOptions = { sizes: [5], counted: [2, 4] };
export const FULL: PlanApplyOptions = { sizes: [10, 100, 1_000], counted: [4, 14] };

/**
 * Deploys the same roles from each definition, on servers of their own.
 *
 * @throws Error if two definitions do not make the same on the servers
 */
export async function planApply(options: PlanApplyOptions): Promise<PlanApplyResult> {
  const say = options.onProgress ?? (() => undefined);
  const costs: CostPerRole[] = [];
  for (const definition of DEFINITIONS) {
    const [few, more] = options.counted;
    const first = await inSandbox((sandbox) => count(sandbox, definition, few));
    const second = await inSandbox((sandbox) => count(sandbox, definition, more));
    const perRole = (of: (requests: typeof first) => number) => (of(second) - of(first)) / (more - few);
    costs.push({
      definition: definition.name,
      vault: { apply: perRole((r) => r.vault.apply), planAgain: perRole((r) => r.vault.planAgain) },
      postgres: { apply: perRole((r) => r.postgres.apply), planAgain: perRole((r) => r.postgres.planAgain) },
    });
    say(JSON.stringify(costs.at(-1)));
  }
  const rows: PlanApplyRow[] = [];
  for (const roles of options.sizes) {
    const made = new Map<Definition, Deployed>();
    for (const definition of DEFINITIONS) {
      const deployed = await inSandbox((sandbox) => deploy(sandbox, definition, roles));
      made.set(definition, deployed);
      const { resources, plan, apply, planAgain } = deployed;
      rows.push({ definition: definition.name, roles, resources, plan, apply, planAgain });
      say(JSON.stringify(rows.at(-1)));
    }
    const results = [...made.values()].map((deployed) => deployed.made.join("\n"));
    if (new Set(results).size !== 1)
      throw new Error(`With ${roles} roles the definitions do not make the same.`);
  }
  const versions = await inSandbox(({ postgres, terraform, providers }) =>
    Promise.resolve({
      PostgreSQL: postgres.version,
      Terraform: terraform?.version ?? "",
      "Provider plugins": providers?.message ?? "",
    }),
  );
  return { rows, costs, versions };
}

/** Servers that nothing was deployed to before, so that nothing has to be destroyed either. */
async function inSandbox<T>(work: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  const sandbox = await startSandbox();
  try {
    return await work(sandbox);
  } finally {
    await sandbox.stop();
  }
}
