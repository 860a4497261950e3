import type { Benchmark, BenchmarkContext, BenchmarkResult, Goal, Table } from "../benchmark";
import { interleaveCases, type Samples, type Turns } from "../interleave";
import { PHASES, type Phase, type Phases } from "../start/phases";
import { isTypeError, Project, PROGRAMS, type Program } from "../start/project";
import { HAS_TS_NODE, prepare, profile, startIn, WAYS, type Way } from "../start/ways";
import { median, spread } from "../statistics";
import type { Cost } from "../synthesis/program";

/** What cdktf.json has. */
const OURS = "build";
/** How the smallest app is started, to compare with. */
const USUAL = "tsx";
const CASES = ["hello", "first", "app", "changed"] as const;
type Measured = Samples<string, keyof Cost>;

/** The smallest app; this one with nothing built or cached, then with all, and after a change to an environment. */
type Cases = Readonly<Record<(typeof CASES)[number], Measured>>;

interface Profiles {
  readonly ms: Samples<string, Phase>;
  readonly modules: Readonly<Record<string, Phases["modules"]>>;
}

/** What the profile is of. */
const PROFILED = [
  { way: "tsx", program: "app", title: "this app, `tsx`" },
  { way: "compiled", program: "app", title: "this app, JavaScript" },
  { way: "tsx", program: "hello", title: "the smallest app, `tsx`" },
] as const;

export const start: Benchmark = {
  name: "start",
  title: "Start of the app",
  question:
    "How long does the app's own process take, which way to start it tells type errors, and where does the time go?",
  run,
};

async function run(context: BenchmarkContext): Promise<BenchmarkResult> {
  // The compiler takes longer than all else: the short cut does without.
  const ways = context.quick ? WAYS.filter(({ name }) => name === "tsx") : WAYS;
  const [rounds, changes] = context.quick ? [1, 1] : [15, 5];
  const project = new Project();
  try {
    for (const program of Object.keys(PROGRAMS) as Program[]) {
      for (const { name, options } of ways) {
        if (options !== undefined) project.writeSettings(name, program, options(program));
      }
      for (const way of ways) await prepare(way, project, program);
    }
    const turns = { rounds, warmUp: context.quick ? 0 : 1 };
    const measure = (program: Program) => inTurns(ways, turns, (way) => startIn(way, project, program));
    context.say(`the smallest app, ${rounds} rounds of ${ways.length} ways`);
    const hello = await measure("hello");
    context.say(`this app, ${rounds} rounds`);
    const first = await inTurns(ways, { rounds: 1, warmUp: 0 }, (way) => startIn(way, project, "app"));
    const app = await measure("app");
    context.say("where the time goes");
    const profiles = await profileAll({ ...turns, rounds: changes }, ways, project);
    context.say(`this app, changed ${changes} times`);
    const changed = await inTurns(ways, { ...turns, rounds: changes }, async (way) => {
      project.change();
      await prepare(way, project, "app");
      return startIn(way, project, "app");
    });
    context.say("this app with a type error");
    project.breakTypes();
    const telling = new Set<string>();
    for (const way of ways) if (await tells(way, project)) telling.add(way.name);
    return result(ways, { hello, first, app, changed }, telling, profiles);
  } finally {
    project.remove();
  }
}

function inTurns(ways: readonly Way[], turns: Turns, cost: (way: Way) => Promise<Cost>): Promise<Measured> {
  const byName = new Map(ways.map((way) => [way.name, way]));
  return interleaveCases(byName, turns, async (way) => ({ ...(await cost(way)) }));
}

async function profileAll(turns: Turns, ways: readonly Way[], project: Project): Promise<Profiles> {
  const modules = {} as Record<string, Phases["modules"]>;
  const profiled = new Map(
    PROFILED.flatMap(({ title, way: name, program }) =>
      ways.filter((way) => way.name === name).map((way) => [title, { way, program }] as const),
    ),
  );
  const ms = await interleaveCases(profiled, turns, async ({ way, program }, title) => {
    const phases = await profile(way, project, program);
    modules[title] = phases.modules;
    return phases.ms;
  });
  return { ms, modules };
}

/** Whether a way fails for a type error, and does so again at the next start. */
async function tells(way: Way, project: Project): Promise<boolean> {
  const told: boolean[] = [];
  for (let time = 0; time < 2; time++) {
    told.push(
      await startIn(way, project, "app").then(
        () => false,
        (error: unknown) => {
          if (isTypeError(error)) return true;
          throw error;
        },
      ),
    );
  }
  return told.every(Boolean);
}

function result(
  ways: readonly Way[],
  cases: Cases,
  telling: ReadonlySet<string>,
  profiles: Profiles,
): BenchmarkResult {
  const profiled = PROFILED.map(({ title }) => title).filter((title) => title in profiles.ms);
  const table = (title: string, measure: "seconds" | "processor"): Table => ({
    title,
    columns: [
      "Way to start",
      "tells type errors",
      "the smallest app",
      "this app, first start",
      "this app",
      "this app, after a change",
    ],
    rows: ways.map((way) => [
      way.title,
      telling.has(way.name) ? "yes" : "no",
      ...CASES.map((name) => shown(cases[name][way.name]?.[measure] ?? [])),
    ]),
  });
  return {
    versions: HAS_TS_NODE ? {} : { "ts-node": "not installed" },
    tables: [
      table("From start to end, seconds: median (10th to 90th percentile)", "seconds"),
      table("Processor time of all processes, seconds", "processor"),
      {
        title: "Where the time goes, ms, and how many modules are loaded",
        columns: ["Phase", ...profiled, "modules of this app"],
        rows: PHASES.map((phase) => [
          phase,
          ...profiled.map((title) => spread(profiles.ms[title]?.[phase] ?? [], 0)),
          profiles.modules[PROFILED[0].title]?.[phase] ?? 0,
        ]),
      },
    ],
    charts: [
      {
        name: "ways",
        title: "Start of this app, from start to end",
        kind: "bar",
        x: { label: "Way to start" },
        y: { label: "Time", unit: "s" },
        series: [
          { name: "nothing changed", points: points(ways, cases.app) },
          { name: "after a change to an environment", points: points(ways, cases.changed) },
        ],
      },
    ],
    goals: [goal(cases)],
    samples: Object.fromEntries(
      CASES.flatMap((name) =>
        ways.flatMap((way) =>
          (["seconds", "processor"] as const).map(
            (measure) => [`${way.name} ${name} ${measure}`, cases[name][way.name]?.[measure] ?? []] as const,
          ),
        ),
      ),
    ),
  };
}

/** Without a spread that there is none of. */
function shown(values: readonly number[]): string {
  return values.length === 1 ? median(values).toFixed(2) : spread(values, 2);
}

function points(ways: readonly Way[], measured: Measured): [string, number][] {
  return ways.map(({ name }) => [name, median(measured[name]?.seconds ?? [])]);
}

function goal({ hello, app }: Cases): Goal {
  const smallest = median(hello[USUAL]?.seconds ?? []);
  // The short cut has no other way.
  const ours = median((app[OURS] ?? app[USUAL])?.seconds ?? []);
  return {
    text: "The app's process, as cdktf.json starts it, in less than 1.0 s where the smallest by tsx takes 0.6 s",
    measured: `${ours.toFixed(2)} s where the smallest takes ${smallest.toFixed(2)} s`,
    met: ours < smallest / 0.6,
  };
}
