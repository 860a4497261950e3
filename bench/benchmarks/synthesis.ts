import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Benchmark, BenchmarkContext, BenchmarkResult, Goal, Table } from "../benchmark";
import { interleave } from "../interleave";
import { median, medianRatio, spread } from "../statistics";
import { compilePrograms, fileOf, resourcesOf, runProgram } from "../synthesis/program";

const PROGRAMS = ["ours", "bindings"] as const;
const TITLES = { ours: "CredentialsStack", bindings: "bindings of the providers alone" };
const MEASURES = ["seconds", "processor", "memory"] as const;
/** Of what the bindings take. */
const MOST = 1.1;
/** Of what a role takes where there are a tenth of them. */
const NEAR = 1.2;

interface Size {
  readonly environments: number;
  readonly roles: number;
  readonly rounds: number;
}
type Measured = Record<(typeof PROGRAMS)[number], Record<(typeof MEASURES)[number], number[]>>;

export const synthesis: Benchmark = {
  name: "synthesis",
  title: "Synthesis",
  question: "What does the library add to the time and the memory of a synthesis, and do they grow in line?",
  run,
};

async function run(context: BenchmarkContext): Promise<BenchmarkResult> {
  const sizes: readonly Size[] = context.quick
    ? [{ environments: 1, roles: 3, rounds: 1 }]
    : [
        { environments: 1, roles: 10, rounds: 7 },
        { environments: 1, roles: 100, rounds: 7 },
        { environments: 1, roles: 1_000, rounds: 5 },
        { environments: 1, roles: 10_000, rounds: 1 },
        { environments: 10, roles: 100, rounds: 5 },
        { environments: 100, roles: 100, rounds: 1 },
        { environments: 100, roles: 10, rounds: 3 },
        { environments: 1_000, roles: 10, rounds: 3 },
      ];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bench-synthesis-"));
  try {
    const built = await compilePrograms(path.join(folder, "built"), PROGRAMS);
    const measured: [Size, Measured][] = [];
    const files: [Size, number][] = [];
    for (const size of sizes) {
      const args = [size.environments, size.roles].map(String);
      context.say(`${size.environments} × ${size.roles} roles, ${size.rounds} rounds`);
      const samples = await interleave(PROGRAMS, { rounds: size.rounds, warmUp: 0 }, async (program) => ({
        ...(await runProgram(path.join(built, `${program}.js`), [path.join(folder, program), ...args], [])),
      }));
      requireSame(folder, `e${size.environments}`);
      measured.push([size, samples]);
      files.push([size, fs.statSync(fileOf(folder, "ours", "e1")).size]);
    }
    return result(measured, files);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** The comparison is of the same resources, or of nothing. */
function requireSame(folder: string, stack: string): void {
  const [ours, bindings] = PROGRAMS.map((program) => resourcesOf(fileOf(folder, program, stack)));
  if (ours?.join("\n") !== bindings?.join("\n")) throw new Error(`the two programs differ in ${stack}`);
}

const nameOf = ({ environments, roles }: Size) => `${environments} × ${roles.toLocaleString("en")}`;

function result(measured: readonly [Size, Measured][], files: readonly [Size, number][]): BenchmarkResult {
  const table = (title: string, measure: (typeof MEASURES)[number]): Table => ({
    title,
    columns: ["environments × roles", ...PROGRAMS.map((program) => TITLES[program]), "ratio"],
    rows: measured.map(([size, samples]) => [
      nameOf(size),
      ...PROGRAMS.map((program) => spread(samples[program][measure], measure === "memory" ? 0 : 2)),
      medianRatio(samples.ours[measure], samples.bindings[measure]).toFixed(2),
    ]),
  });
  const one = measured.filter(([{ environments }]) => environments === 1);
  return {
    versions: {},
    tables: [
      table("Processor time in seconds: median (10th to 90th percentile)", "processor"),
      table("Peak memory in MiB", "memory"),
      {
        title: "Size of what is synthesized for one environment",
        columns: ["environments × roles", "KiB for each stack", "KiB for each role"],
        rows: files.map(([size, bytes]) => [
          nameOf(size),
          Math.round(bytes / 1024),
          (bytes / 1024 / size.roles).toFixed(1),
        ]),
      },
    ],
    charts: [
      {
        name: "time",
        title: "Synthesis of one environment",
        kind: "line",
        x: { label: "Roles", log: true },
        y: { label: "Processor time", unit: "s", log: true },
        series: PROGRAMS.map((program) => ({
          name: TITLES[program],
          points: one.map(([{ roles }, samples]) => [roles, median(samples[program].processor)] as const),
        })),
      },
    ],
    goals: goals(measured),
    samples: Object.fromEntries(
      measured.flatMap(([size, samples]) =>
        PROGRAMS.flatMap((program) =>
          MEASURES.map(
            (measure) => [`${program} ${measure}, ${nameOf(size)}`, samples[program][measure]] as const,
          ),
        ),
      ),
    ),
  };
}

function goals(measured: readonly [Size, Measured][]): Goal[] {
  const worst = (measure: (typeof MEASURES)[number]) =>
    Math.max(...measured.map(([, { ours, bindings }]) => medianRatio(ours[measure], bindings[measure])));
  const beside = (["processor", "memory"] as const).map((measure) => ({
    text: `${measure === "memory" ? "Memory" : "Time"} at most ${MOST} times that of the bindings alone`,
    measured: `${worst(measure).toFixed(2)} times at most`,
    met: worst(measure) <= MOST,
  }));
  return [...beside, ...measured.flatMap(([size, samples]) => linear(measured, size, samples))];
}

/** That a role takes no longer than where there are a tenth of the roles, or of the environments. */
function linear(measured: readonly [Size, Measured][], size: Size, { ours }: Measured): Goal[] {
  const { environments, roles } = size;
  return measured.flatMap(([few, samples]) => {
    const tenth =
      (few.environments === environments && few.roles * 10 === roles) ||
      (few.environments * 10 === environments && few.roles === roles);
    // Of a few hundred roles, most of the time is that of the start.
    if (!tenth || few.environments * few.roles < 1_000) return [];
    const times = median(ours.processor) / 10 / median(samples.ours.processor);
    return [
      {
        text: `Time for a role, ${nameOf(size)}: at most ${NEAR} times that of ${nameOf(few)}`,
        measured: `${times.toFixed(2)} times`,
        met: times <= NEAR,
      },
    ];
  });
}
