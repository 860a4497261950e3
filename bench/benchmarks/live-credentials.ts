import type { Benchmark, BenchmarkContext, BenchmarkResult, Table } from "../benchmark";
import { catalogGrowth, growthTables, type CatalogGrowth } from "../catalog-growth";
import { costGoals, type Steps } from "../cost-goals";
import { BenchEngine } from "../engine";
import { interleave } from "../interleave";
import { times } from "../pool";
import { median, spread } from "../statistics";
import { OURS, TITLES, VARIANTS, type Variant } from "../variants";

/** A manager that has made none of the live logins. */
const SECOND = "second_manager";

type Measured = ReadonlyMap<number, Partial<Steps>>;

const STEPS = ["issue", "revoke"] as const;
const AT_A_TIME = 16;
const TABLES = 10;
const BARE_AND_OURS = ["bare", ...OURS] as const;

export const liveCredentials: Benchmark = {
  name: "live-credentials",
  title: "Many live credentials",
  question: "Does a credential cost more where many others live, and what do gone ones leave behind?",
  run,
};

async function run(context: BenchmarkContext): Promise<BenchmarkResult> {
  const { quick } = context;
  const levels = quick ? [5, 20] : [10, 1_000, 5_000];
  const engine = await BenchEngine.start(context);
  try {
    for (const database of ["ours", "theirs", "growth"]) {
      await engine.addDatabase(database);
      await engine.addTables(database, 0, TABLES);
    }
    // First, while the catalogs are small.
    const growth: CatalogGrowth[] = [];
    for (const variant of ["terminate", "drain", "grants"] as const) {
      context.say(`catalogs, ${TITLES[variant]}`);
      growth.push(await catalogGrowth(engine, "growth", variant, quick ? 20 : 1_000));
    }
    await engine.addManager(SECOND, "ours");
    const ours = new Map<number, Partial<Steps>>();
    const bySecond = new Map<number, Partial<Steps>>();
    const rounds = quick ? 1 : 30;
    for (const [index, live] of levels.entries()) {
      context.say(`${live} live, ours`);
      await issueMore(engine, "terminate", "ours", live - (levels[index - 1] ?? 0));
      const options = { rounds, warmUp: 2 };
      ours.set(live, await interleave(BARE_AND_OURS, options, (v) => engine.cycle(v, "ours")));
      bySecond.set(live, await interleave(["terminate"], options, (v) => engine.cycle(v, SECOND)));
    }
    const theirs = await untilTheWall(context, engine, levels, quick ? 1 : 10);
    return result(engine.versions, ours, bySecond, theirs, growth);
  } finally {
    await engine.stop();
  }
}

function issueMore(engine: BenchEngine, variant: Variant, database: string, count: number): Promise<void> {
  return times(count, AT_A_TIME, () => engine.issue(variant, database));
}

interface Wall {
  readonly measured: Measured;
  /** Of grants to each user, when it ended. */
  readonly live: number;
  /** What PostgreSQL said at the first one that could not be issued; absent if all could. */
  readonly error?: string;
}

/** Grants to each user, live until PostgreSQL refuses the next or the last level is reached. */
async function untilTheWall(
  context: BenchmarkContext,
  engine: BenchEngine,
  levels: readonly number[],
  rounds: number,
): Promise<Wall> {
  const measured = new Map<number, Partial<Steps>>();
  let live = 0;
  for (const level of levels) {
    context.say(`${level} live, ${TITLES.grants}`);
    try {
      await times(level - live, AT_A_TIME, async () => {
        await engine.issue("grants", "theirs");
        live++;
      });
    } catch (error) {
      const message = String(error);
      return { measured, live, error: /ERROR: (.*\(SQLSTATE \w+\))/.exec(message)?.[1] ?? message };
    }
    measured.set(
      level,
      await interleave(["grants"], { rounds, warmUp: 1 }, (v) => engine.cycle(v, "theirs")),
    );
  }
  return { measured, live };
}

function result(
  versions: Record<string, string>,
  ours: Measured,
  bySecond: Measured,
  wall: Wall,
  growth: readonly CatalogGrowth[],
): BenchmarkResult {
  const both = new Map([...ours].map(([live, steps]) => [live, { ...steps, ...wall.measured.get(live) }]));
  const most = [...ours.keys()].at(-1) ?? 0;
  return {
    versions,
    tables: [
      ...STEPS.map((step) => tableOf(step, both)),
      ...STEPS.map((step) => {
        const { title, ...table } = tableOf(step, bySecond);
        return { ...table, title: `${title}, of a manager that has made none of them` };
      }),
      {
        title: `Most live at once on the same tables, of ${most} tried`,
        columns: ["Variant", "Live", "What PostgreSQL said to the next"],
        rows: [
          [TITLES.terminate, most, "issued"],
          [TITLES.grants, wall.live, wall.error ?? "issued"],
        ],
      },
      ...growthTables(growth),
    ],
    charts: [
      ...STEPS.map((step) => ({
        name: step,
        title: `${step === "issue" ? "Issuing" : "Revoking"} a credential, by live credentials`,
        kind: "line" as const,
        x: { label: "Live credentials", log: true },
        y: { label: "Median time", unit: "ms" },
        series: VARIANTS.flatMap((variant) => {
          const points = [...both].flatMap(([live, steps]) =>
            steps[variant] ? [[live, median(steps[variant][step])] as const] : [],
          );
          return points.length === 0 ? [] : [{ name: TITLES[variant], points }];
        }),
      })),
    ],
    goals: [
      ...costGoals(ours as ReadonlyMap<number, Steps>, "live credentials"),
      {
        text: `${TITLES.terminate}: live where ${TITLES.grants.toLowerCase()} have ended`,
        measured: `${most} beside ${wall.live}`,
        met: most > wall.live,
      },
    ],
    samples: Object.fromEntries([...samplesOf(both, ""), ...samplesOf(bySecond, ", second manager")]),
  };
}

function tableOf(step: (typeof STEPS)[number], measured: Measured): Table {
  const variants = VARIANTS.filter((variant) => [...measured.values()].some((steps) => steps[variant]));
  return {
    title: `${step === "issue" ? "Issue" : "Revoke"}, ms: median (10th to 90th percentile), by live credentials`,
    columns: ["Variant", ...[...measured.keys()].map((live) => `${live} live`)],
    rows: variants.map((variant) => [
      TITLES[variant],
      ...[...measured.values()].map((steps) =>
        steps[variant] ? spread(steps[variant][step]) : "not reached",
      ),
    ]),
  };
}

function samplesOf(measured: Measured, suffix: string): [string, readonly number[]][] {
  return [...measured].flatMap(([live, steps]) =>
    VARIANTS.flatMap((variant) =>
      STEPS.map((step): [string, number[]] => [
        `${variant} ${step}, ${live} live${suffix}`,
        steps[variant]?.[step] ?? [],
      ]),
    ).filter(([, values]) => values.length > 0),
  );
}
