import { allHeld } from "../../cli/report";
import type { Check } from "../../cli/checks";
import { demonstrate } from "../../sandbox/demo";
import { startSandbox } from "../../sandbox/sandbox";
import type { Benchmark, BenchmarkContext, BenchmarkResult } from "../benchmark";
import { timed } from "../interleave";
import { median, spread } from "../statistics";
import { versionsOf } from "../versions";

const ENVIRONMENT = "local";
/** In order; those between the first and the last are what `demonstrate` tells of. */
const STEPS = [
  "servers and plugins",
  "cdktf deploy",
  "proof",
  "a second plan",
  "npm run destroy",
  "stop",
] as const;
type Step = (typeof STEPS)[number];
/** Of the longest checks. */
const SHOWN = 8;

interface Round {
  /** Milliseconds. */
  readonly steps: Record<Step, number>;
  readonly checks: readonly Check[];
  readonly versions: Readonly<Record<string, string>>;
}

export const demo: Benchmark = {
  name: "demo",
  title: "The demo, step by step",
  question: "Where does the time of `npm run demo` go?",
  run,
};

async function run(context: BenchmarkContext): Promise<BenchmarkResult> {
  const rounds: Round[] = [];
  for (let round = 1; round <= (context.quick ? 1 : 3); round++) {
    context.say(`round ${round}`);
    rounds.push(await demoRound(context));
  }
  const seconds = (step: Step) => rounds.map(({ steps }) => steps[step] / 1000);
  const totals = rounds.map(({ steps }) => Object.values(steps).reduce((sum, ms) => sum + ms, 0) / 1000);
  return {
    versions: rounds[0]?.versions ?? {},
    tables: [
      {
        title: `Seconds by step, ${rounds.length} rounds`,
        columns: ["Step", "from start to end"],
        rows: [...STEPS.map((step) => [step, spread(seconds(step))]), ["all", spread(totals)]],
      },
      {
        title: "The checks that took longest",
        columns: ["Check", "of", "ms"],
        rows: longest(rounds).map(({ name, subject, times }) => [name, subject, spread(times, 0)]),
      },
    ],
    charts: [
      {
        name: "steps",
        title: "The demo, by step",
        kind: "bar",
        x: { label: "Step" },
        y: { label: "Time", unit: "s" },
        series: [{ name: "median", points: STEPS.map((step) => [step, median(seconds(step))] as const) }],
      },
    ],
    goals: [],
    samples: Object.fromEntries(STEPS.map((step) => [step, seconds(step)])),
  };
}

/** What `npm run demo` runs; of no use where a check does not hold. */
async function demoRound(context: BenchmarkContext): Promise<Round> {
  const begin = performance.now();
  const sandbox = await startSandbox({ onProgress: (line) => context.say(line) });
  const told: number[] = [];
  try {
    const checks = await demonstrate(
      sandbox,
      ENVIRONMENT,
      (line) => {
        told.push(performance.now());
        context.say(line);
      },
      () => undefined,
    );
    if (!allHeld(checks)) {
      const failed = checks.find(({ result }) => result === "failed");
      throw new Error(`${failed?.subject}: ${failed?.name}: ${failed?.detail}`);
    }
    const stopping = performance.now();
    const times = [begin, ...told, stopping, stopping + (await timed(() => sandbox.stop()))];
    return { steps: between(times), checks, versions: versionsOf(sandbox) };
  } finally {
    await sandbox.stop();
  }
}

function between(times: readonly number[]): Record<Step, number> {
  if (times.length !== STEPS.length + 1) throw new Error(`the demo tells of ${times.length - 3} steps`);
  const lengths = STEPS.map((step, index) => [step, (times[index + 1] ?? 0) - (times[index] ?? 0)]);
  return Object.fromEntries(lengths) as Record<Step, number>;
}

function longest(rounds: readonly Round[]) {
  const byCheck = new Map<string, { name: string; subject: string; times: number[] }>();
  for (const { name: told, subject, ms } of rounds.flatMap(({ checks }) => checks)) {
    // Each round's table has a name of its own.
    const name = told.replace(/verify_[0-9a-f]+/, "verify_…");
    const key = JSON.stringify([subject, name]);
    const entry = byCheck.get(key) ?? { name, subject, times: [] };
    entry.times.push(ms);
    byCheck.set(key, entry);
  }
  return [...byCheck.values()].sort((a, b) => median(b.times) - median(a.times)).slice(0, SHOWN);
}
