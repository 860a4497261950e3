import { UserError } from "../../cli/errors";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { findTerraform, type TerraformBinary } from "../../sandbox/terraform-binary";
import { DEFINITIONS, ONE_STACK, type Definition, type Size } from "./definitions";
import { count, deploy, STEPS, type Requests, type Step } from "./measure";

/** One definition, deployed by one program. */
export interface PlanApplyRow {
  readonly program: string;
  readonly definition: string;
  readonly roles: number;
  readonly resources: number;
  /** Seconds of each round; of what was given up, none. */
  readonly seconds: Readonly<Record<Step, readonly number[]>>;
}

/** What one more of something costs. */
export interface Cost extends Requests {
  readonly definition: string;
  readonly of: string;
}

export interface PlanApplyResult {
  readonly rows: readonly PlanApplyRow[];
  readonly costs: readonly Cost[];
  /** Of the programs that took part. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface PlanApplyOptions {
  readonly sizes: readonly {
    readonly roles: number;
    readonly rounds: number;
  }[];
  /** Two numbers of roles; what the servers are asked is the difference, by role. */
  readonly counted: readonly [number, number];
  /** How long one step of one deployment may take before it is given up. */
  readonly limitSeconds: number;
  readonly onProgress: (line: string) => void;
}

export const QUICK = { sizes: [{ roles: 5, rounds: 1 }], counted: [2, 4], limitSeconds: 600 } as const;
export const FULL = {
  sizes: [
    { roles: 10, rounds: 3 },
    { roles: 100, rounds: 3 },
    { roles: 1_000, rounds: 1 },
  ],
  counted: [4, 14],
  limitSeconds: 600,
} as const;

/**
 * Deploys the same roles from each definition, on servers of their own, by Terraform and by OpenTofu.
 *
 * @throws UserError if there is neither of them; Error if two definitions do not make the same on the servers
 */
export async function planApply(options: PlanApplyOptions): Promise<PlanApplyResult> {
  const programs = await findPrograms(options.onProgress);
  const [[, first]] = programs;
  const costs = await countAll(options, first);
  const rows: PlanApplyRow[] = [];
  for (const size of options.sizes) rows.push(...(await measure(options, size, programs)));
  const versions = await inSandbox(first, ({ postgres, vault, providers }) =>
    Promise.resolve({
      PostgreSQL: postgres.version,
      [vault.product]: vault.version,
      ...Object.fromEntries(programs.map(([name, { version }]) => [name, version])),
      ...(providers === undefined ? {} : { "provider plugins": providers.kind }),
    }),
  );
  return { rows, costs, versions };
}

type Programs = readonly [[string, TerraformBinary], ...[string, TerraformBinary][]];

/** All that there are, by the names of the products. */
async function findPrograms(say: (line: string) => void): Promise<Programs> {
  const found: [string, TerraformBinary][] = [];
  for (const [product, name] of [
    ["Terraform", "terraform"],
    ["OpenTofu", "tofu"],
  ] as const) {
    try {
      found.push([product, await findTerraform({ ...process.env, TERRAFORM_BINARY_NAME: name })]);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      say(`${product} is left out: ${error.message}`);
    }
  }
  const [first, ...others] = found;
  if (first === undefined) throw new UserError("There is no terraform and no tofu.", "Install one of them.");
  return [first, ...others];
}

async function countAll(options: PlanApplyOptions, program: TerraformBinary): Promise<Cost[]> {
  const [few, more] = options.counted;
  const measured = async (definition: Definition, of: string, from: Size, to: Size): Promise<Cost> => {
    const low = await inSandbox(program, (sandbox) => count(sandbox, definition, from));
    const high = await inSandbox(program, (sandbox) => count(sandbox, definition, to));
    const each = (requests: (of: Requests) => number) => (requests(high) - requests(low)) / (more - few);
    const cost = {
      definition: definition.name,
      of,
      resources: each(({ resources }) => resources),
      vault: { apply: each(({ vault }) => vault.apply), planAgain: each(({ vault }) => vault.planAgain) },
      postgres: {
        apply: each(({ postgres }) => postgres.apply),
        planAgain: each(({ postgres }) => postgres.planAgain),
      },
    };
    options.onProgress(JSON.stringify(cost));
    return cost;
  };
  const costs: Cost[] = [];
  for (const definition of DEFINITIONS) {
    costs.push(await measured(definition, "role and application", { roles: few }, { roles: more }));
  }
  const [fewer, most] = [
    { roles: more, applications: few },
    { roles: more, applications: more },
  ];
  costs.push(await measured(ONE_STACK, "role", { roles: few, applications: few }, fewer));
  costs.push(await measured(ONE_STACK, "application", fewer, most));
  return costs;
}

/** Each round is one deployment of each definition by each program, in turns. */
async function measure(
  { limitSeconds, onProgress }: PlanApplyOptions,
  { roles, rounds }: PlanApplyOptions["sizes"][number],
  programs: Programs,
): Promise<PlanApplyRow[]> {
  const made = new Map<string, string>();
  const rows = programs.flatMap(([program, binary]) =>
    DEFINITIONS.map((definition) => ({
      binary,
      source: definition,
      row: {
        program,
        definition: definition.name,
        roles,
        resources: 0,
        seconds: noSeconds(),
      },
    })),
  );
  for (let round = 1; round <= rounds; round++) {
    for (const { binary, source, row } of rows) {
      const deployed = await inSandbox(binary, (sandbox) =>
        deploy(sandbox, source, { roles }, { limitSeconds }),
      );
      for (const step of STEPS) {
        const seconds = deployed.seconds[step];
        if (seconds !== undefined) row.seconds[step].push(seconds);
      }
      row.resources = Math.max(row.resources, deployed.resources);
      onProgress(
        JSON.stringify({ program: row.program, definition: source.name, roles, ...deployed.seconds }),
      );
      if (deployed.made !== undefined) made.set(`${row.program}, ${source.name}`, deployed.made.join("\n"));
    }
  }
  if (new Set(made.values()).size > 1) {
    throw new Error(`With ${roles} roles, these do not make the same: ${[...made.keys()].join("; ")}.`);
  }
  return rows.map(({ row }) => row);
}

function noSeconds(): Record<Step, number[]> {
  return { plan: [], apply: [], planAgain: [] };
}

/** Servers that nothing was deployed to before, so that nothing has to be destroyed either. */
async function inSandbox<T>(program: TerraformBinary, work: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  const sandbox = await startSandbox({ env: { ...process.env, TERRAFORM_BINARY_NAME: program.path } });
  try {
    return await work(sandbox);
  } finally {
    await sandbox.stop();
  }
}
