import type { Benchmark, BenchmarkContext, BenchmarkResult, Goal, Table } from "../benchmark";
import { deployFleet, type DeploymentResult, type Measured } from "../fleet/deployments";
import { synthesizeShards, type Shard } from "../fleet/shards";

/** A thousand databases in three environments. */
const FLEET = 3_000;
const FLEET_ROLES = 10;
/** Shards of at least so many stacks show whether the time for each stays the same; below, the start weighs. */
const LARGE = 100;

interface Options {
  readonly shards: readonly number[];
  readonly stacks: number;
  readonly roles: number;
  readonly deployments: readonly (readonly [name: string, args: readonly string[]])[];
  readonly plansAtOnce: readonly number[];
  readonly parallelism: readonly number[];
}

const FULL: Options = {
  shards: [1, 10, 30, 100, 300, 1_000],
  stacks: 12,
  roles: FLEET_ROLES,
  deployments: [
    ["default", []],
    ["`--terraform-parallelism 2`", ["--terraform-parallelism", "2"]],
    ["`--parallelism 4`", ["--parallelism", "4"]],
    ["`--parallelism 1`", ["--parallelism", "1"]],
  ],
  plansAtOnce: [1, 4, 12],
  parallelism: [1, 2, 4, 10, 30],
};

const QUICK: Options = {
  shards: [1, 2],
  stacks: 2,
  roles: 2,
  deployments: [["default", []]],
  plansAtOnce: [1, 2],
  parallelism: [1, 10],
};

export const fleet: Benchmark = {
  name: "fleet",
  title: "A fleet",
  question:
    "What do many databases cost, each a stack of its own, by how many are in one app and run at once?",
  run,
};

async function run(context: BenchmarkContext): Promise<BenchmarkResult> {
  const say = (line: string) => context.say(line);
  const options = context.quick ? QUICK : FULL;
  const shards = await synthesizeShards(options.shards, options.roles, say);
  const deployed = await deployFleet({ ...options, say });
  return result(options, shards, deployed);
}

function result(options: Options, shards: readonly Shard[], deployed: DeploymentResult): BenchmarkResult {
  const { stacks, roles } = options;
  const each = `${stacks} stacks of ${roles} roles`;
  return {
    versions: deployed.versions,
    tables: [
      shardTable(shards, roles),
      loadTable(`First deployment of ${each}, by \`cdktf deploy\``, "options", deployed.deployments),
      {
        title: "Sessions of the secrets engine in PostgreSQL that stay open after the deployment",
        columns: ["connections of the engine so far", "open sessions"],
        rows: deployed.deployments.map(({ load }, index) => [(index + 1) * stacks, load.engineSessions]),
      },
      loadTable(`Plans of what stands, ${each}`, "plan of", deployed.plans),
      loadTable(
        `Plan of one stack of ${roles} roles, by Terraform's \`-parallelism\``,
        "parallelism",
        deployed.parallelism,
      ),
    ],
    charts: [
      {
        name: "synthesis",
        title: `Synthesis of stacks with ${roles} roles each`,
        kind: "line",
        x: { label: "Stacks in the app", log: true },
        y: { label: "Processor time", unit: "s", log: true },
        series: [
          { name: "one app", points: shards.map(({ stacks: n, processor }) => [n, processor] as const) },
        ],
      },
      {
        name: "requests",
        title: `First deployment of ${each}`,
        kind: "bar",
        x: { label: "options of cdktf deploy" },
        y: { label: "most requests to Vault at once" },
        series: [
          {
            name: "requests at once",
            points: deployed.deployments.map(
              ({ what, load }) => [what.replaceAll("`", ""), load.requestsAtOnce] as const,
            ),
          },
        ],
      },
    ],
    goals: [...flat(shards), oneStack(stacks, deployed.plans)],
    samples: {
      ...Object.fromEntries(
        shards.map(({ stacks: n, seconds, processor, memory, file }) => [
          `synthesis of ${n} stacks: seconds, processor, MiB, bytes`,
          [seconds, processor, memory, file],
        ]),
      ),
      ...samplesOf("deploy", deployed.deployments),
      ...samplesOf("plan", deployed.plans),
      ...samplesOf("parallelism", deployed.parallelism),
    },
  };
}

function shardTable(shards: readonly Shard[], roles: number): Table {
  return {
    title: `Synthesis of one app, with ${roles} roles in each stack`,
    columns: [
      "stacks",
      "seconds",
      "processor time, s",
      "ms for each stack",
      "peak memory, MiB",
      "KiB for each stack",
      `apps for ${FLEET.toLocaleString("en")} stacks`,
      "processor time of all, min",
    ],
    rows: shards.map(({ stacks, seconds, processor, memory, file }) => [
      stacks,
      seconds.toFixed(1),
      processor.toFixed(1),
      ((processor / stacks) * 1_000).toFixed(0),
      memory.toFixed(0),
      (file / 1024).toFixed(0),
      Math.ceil(FLEET / stacks),
      ((Math.ceil(FLEET / stacks) * processor) / 60).toFixed(1),
    ]),
  };
}

function loadTable(title: string, first: string, measured: readonly Measured[]): Table {
  return {
    title,
    columns: [
      first,
      "seconds",
      "requests to Vault",
      "for each second",
      "at once",
      "statements in PostgreSQL",
      "sessions of Terraform",
      "open at once",
      "memory, MiB",
    ],
    rows: measured.map(({ what, load }) => [
      what,
      load.seconds.toFixed(1),
      load.requests,
      (load.requests / load.seconds).toFixed(0),
      load.requestsAtOnce,
      load.statements,
      load.sessions,
      load.sessionsAtOnce,
      Number.isNaN(load.memory) ? "-" : load.memory.toFixed(0),
    ]),
  };
}

function samplesOf(kind: string, measured: readonly Measured[]): Record<string, readonly number[]> {
  const keys = measured.map(({ what }) => `${kind}, ${what}: seconds, MiB`);
  return Object.fromEntries(
    measured.map(({ load }, index) => [
      keys[index],
      [load.seconds, ...(Number.isNaN(load.memory) ? [] : [load.memory])],
    ]),
  ) as Record<string, readonly number[]>;
}

/** Time and memory for each stack; nothing to say of small shards. */
function flat(shards: readonly Shard[]): Goal[] {
  const large = shards.filter(({ stacks }) => stacks >= LARGE);
  const [least, most] = [large[0], large.at(-1)];
  if (least === undefined || most === undefined) return [];
  const growth = most.processor / most.stacks / (least.processor / least.stacks);
  return [
    {
      text: `a stack takes at most 1.2 times as long in an app of ${most.stacks} as in one of ${least.stacks}`,
      measured: `${growth.toFixed(2)} times`,
      met: growth <= 1.2,
    },
  ];
}

/** A change asks the servers for one stack, however many there are. */
function oneStack(stacks: number, plans: readonly Measured[]): Goal {
  const all = plans[0]?.load.requests ?? NaN;
  const one = plans.find(({ what }) => what === "the changed stack")?.load.requests ?? NaN;
  return {
    text: `a plan of the changed stack makes the requests to Vault of one in ${stacks}`,
    measured: `${one} of ${all}`,
    met: one * stacks <= all,
  };
}
