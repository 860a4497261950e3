import { UserError } from "../../cli/errors";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { findTerraform, type TerraformBinary } from "../../sandbox/terraform-binary";
import { versionsOf } from "../versions";
import { DEFINITIONS, ONE_STACK, type Case, type Definition, type State } from "./definitions";
import { count, deploy, STEPS, type Limits, type Requests, type Step } from "./measure";

/** One definition, deployed by one program. */
export interface PlanApplyRow {
  readonly program: string;
  readonly definition: string;
  readonly roles: number;
  readonly databases: number;
  readonly state: State;
  /** What was to be done. */
  readonly steps: readonly Step[];
  /** After which a step was given up. */
  readonly limits: Limits;
  /** Seconds of each round; of what was given up, none. */
  readonly seconds: Readonly<Record<Step, readonly number[]>>;
}

/** What one more of something costs. */
export interface Cost extends Requests {
  readonly definition: string;
  readonly of: string;
}

/** Definitions that are deployed in turns, on servers of their own each time. */
export interface Deployments {
  readonly roles: number;
  /** @default 1 */
  readonly databases?: number;
  readonly rounds: number;
  /** @default "PostgreSQL" */
  readonly state?: State;
  /** @default DEFINITIONS */
  readonly definitions?: readonly Definition[];
  /** By all programs, or by the first alone: Terraform, where it is on the PATH. @default "all" */
  readonly by?: "all" | "first";
  /** How long steps of one deployment may take before they are given up. @default - 600 seconds each */
  readonly limits?: Partial<Limits>;
  /** Those to do, from the first on. @default STEPS */
  readonly steps?: readonly Step[];
}

type Say = (line: string) => void;

/** Terraform, OpenTofu or both, and what they are measured with. */
export class Programs {
  /** @throws UserError if there is neither of them */
  static async find(say: Say): Promise<Programs> {
    const found: Program[] = [];
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
    if (first === undefined)
      throw new UserError("There is no terraform and no tofu.", "Install one of them.");
    return new Programs([first, ...others], say);
  }

  private constructor(
    private readonly all: readonly [Program, ...Program[]],
    private readonly say: Say,
  ) {}

  /** Of all that take part. */
  versions(): Promise<Record<string, string>> {
    return inSandbox(this.all[0], (sandbox) =>
      Promise.resolve({
        ...versionsOf({ ...sandbox, terraform: undefined }),
        ...Object.fromEntries(this.all.map(([name, { version }]) => [name, version])),
      }),
    );
  }

  /**
   * What one more role, one more application and one more of both ask of the servers, by the first program.
   *
   * @param few @param more two numbers of roles; what is asked is the difference, by role
   */
  async count(few: number, more: number): Promise<Cost[]> {
    const measured = async (definition: Definition, of: string, from: Case, to: Case): Promise<Cost> => {
      const low = await inSandbox(this.all[0], (sandbox) => count(sandbox, definition, from));
      const high = await inSandbox(this.all[0], (sandbox) => count(sandbox, definition, to));
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
      this.say(JSON.stringify(cost));
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

  /** @throws Error if definitions that are deployed in turns do not make the same on the servers */
  async deploy(all: readonly Deployments[]): Promise<PlanApplyRow[]> {
    const rows: PlanApplyRow[] = [];
    for (const deployments of all) rows.push(...(await this.deployInTurns(deployments)));
    return rows;
  }

  private async deployInTurns(deployments: Deployments): Promise<PlanApplyRow[]> {
    const { roles, databases = 1, rounds, state = "PostgreSQL", definitions = DEFINITIONS } = deployments;
    const { steps = STEPS } = deployments;
    const limits = { ...LIMITS, ...deployments.limits };
    const programs = deployments.by === "first" ? [this.all[0]] : this.all;
    const made = new Map<string, string>();
    const rows = programs.flatMap((program) =>
      definitions.map((definition) => ({
        program,
        source: definition,
        row: {
          program: program[0],
          definition: definition.name,
          roles,
          databases,
          state,
          steps,
          limits,
          seconds: noSeconds(),
        },
      })),
    );
    for (let round = 1; round <= rounds; round++) {
      for (const { program, source, row } of rows) {
        const deployed = await inSandbox(program, (sandbox) =>
          deploy(sandbox, source, { roles, databases, state }, { limits, steps }),
        );
        for (const step of steps) {
          const seconds = deployed.seconds[step];
          if (seconds !== undefined) row.seconds[step].push(seconds);
        }
        const { program: name, definition } = row;
        this.say(JSON.stringify({ program: name, definition, roles, state, ...deployed.seconds }));
        if (deployed.made !== undefined) made.set(`${name}, ${definition}`, deployed.made.names.join("\n"));
      }
    }
    if (new Set(made.values()).size > 1) {
      throw new Error(`With ${roles} roles, these do not make the same: ${[...made.keys()].join("; ")}.`);
    }
    return rows.map(({ row }) => row);
  }
}

/** By the name of the product. */
type Program = readonly [name: string, binary: TerraformBinary];

const LIMITS: Limits = { plan: 600, apply: 600, planAgain: 600 };

function noSeconds(): Record<Step, number[]> {
  return { plan: [], apply: [], planAgain: [] };
}

/** Servers that nothing was deployed to before, so that nothing has to be destroyed either. */
async function inSandbox<T>([, { path }]: Program, work: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  const sandbox = await startSandbox({ env: { ...process.env, TERRAFORM_BINARY_NAME: path } });
  try {
    return await work(sandbox);
  } finally {
    await sandbox.stop();
  }
}
