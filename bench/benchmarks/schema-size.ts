import type { Benchmark, BenchmarkContext, BenchmarkResult, Goal } from "../benchmark";
import { BenchEngine } from "../engine";
import { interleave, type Samples } from "../interleave";
import { median, medianRatio, spread } from "../statistics";
import { TITLES, VARIANTS, type Variant } from "../variants";

type Measured = Samples<Variant, "issue" | "revoke">;
const OURS = ["terminate", "owner", "drain"] as const;
const STEPS = ["issue", "revoke"] as const;

export const schemaSize: Benchmark = {
  name: "schema-size",
  title: "Issue and revoke against schema size",
  question: "Does a credential cost more where the schema is larger?",
  run,
};

async function run(context: BenchmarkContext): Promise<BenchmarkResult> {
  const sizes = context.quick ? [10, 50] : [10, 100, 1_000, 10_000];
  const engine = await BenchEngine.start(context);
  try {
    const bySize = new Map<number, Measured>();
    let made = 0;
    for (const size of sizes) {
      await addTables(engine, made, size);
      made = size;
      const rounds = context.quick ? 2 : size > 1_000 ? 10 : 20;
      context.say(`${size} tables, ${rounds} rounds`);
      bySize.set(size, await interleave(VARIANTS, { rounds, warmUp: 1 }, (variant) => engine.cycle(variant)));
    }
    const schemas = context.quick ? [1, 5] : [1, 10, 100];
    const bySchemas = new Map<number, Measured>();
    for (const count of schemas) {
      await addSchemas(engine, count);
      context.say(`${count} schemas`);
      const rounds = context.quick ? 2 : 10;
      const some = ["bare", ...OURS] as const;
      bySchemas.set(
        count,
        (await interleave(some, { rounds, warmUp: 1 }, (variant) => engine.cycle(variant))) as Measured,
      );
    }
    return result(engine.versions, bySize, bySchemas);
  } finally {
    await engine.stop();
  }
}

/** In steps, because a transaction holds a lock on each table that it makes. */
async function addTables(engine: BenchEngine, from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += 1_000) {
    const end = Math.min(start + 1_000, to);
    await engine.sql(
      `DO $$ BEGIN FOR n IN ${start + 1}..${end} LOOP EXECUTE format('CREATE TABLE public.t%s (id int)', n); END LOOP; END $$`,
    );
  }
  await engine.sql("VACUUM ANALYZE");
}

async function addSchemas(engine: BenchEngine, count: number): Promise<void> {
  await engine.sql(
    `DO $$ BEGIN FOR n IN 1..${count} LOOP EXECUTE format('CREATE SCHEMA IF NOT EXISTS s%s', n);
     EXECUTE format('CREATE TABLE IF NOT EXISTS s%s.t (id int)', n); END LOOP; END $$`,
  );
}

function result(
  versions: Record<string, string>,
  bySize: ReadonlyMap<number, Measured>,
  bySchemas: ReadonlyMap<number, Measured>,
): BenchmarkResult {
  const all = [
    ...[...bySize].map(([size, samples]) => ({ at: `tables ${size}`, samples })),
    ...[...bySchemas].map(([count, samples]) => ({ at: `schemas ${count}`, samples })),
  ];
  const table = (step: "issue" | "revoke", data: ReadonlyMap<number, Measured>, what: string) => ({
    title: `${step === "issue" ? "Issue" : "Revoke"}, ms: median (10th to 90th percentile), by ${what}`,
    columns: ["Variant", ...[...data.keys()].map((count) => `${count} ${what}`)],
    rows: VARIANTS.filter((variant) => [...data.values()].every((samples) => samples[variant])).map(
      (variant) => [TITLES[variant], ...[...data.values()].map((samples) => spread(samples[variant][step]))],
    ),
  });
  return {
    versions,
    tables: [
      ...STEPS.map((step) => table(step, bySize, "tables")),
      ...STEPS.map((step) => table(step, bySchemas, "schemas")),
    ],
    charts: STEPS.map((step) => ({
      name: step,
      title: `${step === "issue" ? "Issuing" : "Revoking"} a credential`,
      kind: "line",
      x: { label: "Tables", log: true },
      y: { label: "Median time", unit: "ms", log: true },
      series: VARIANTS.map((variant) => ({
        name: TITLES[variant],
        points: [...bySize].map(([size, samples]) => [size, median(samples[variant][step])] as const),
      })),
    })),
    goals: goals(bySize),
    samples: Object.fromEntries(
      all.flatMap(({ at, samples }) =>
        Object.entries(samples).flatMap(([variant, steps]) =>
          STEPS.map((step) => [`${variant} ${step}, ${at}`, steps[step]] as const),
        ),
      ),
    ),
  };
}

function goals(bySize: ReadonlyMap<number, Measured>): Goal[] {
  const measured = [...bySize.values()];
  return OURS.flatMap((variant) =>
    STEPS.flatMap((step) => {
      const medians = measured.map((samples) => median(samples[variant][step]));
      const growth = (medians.at(-1) ?? NaN) / (medians[0] ?? NaN);
      const ratios = measured.map((samples) => medianRatio(samples[variant][step], samples.bare[step]));
      const worst = Math.max(...ratios);
      return [
        {
          text: `${TITLES[variant]}, ${step}: flat within 20 %`,
          measured: `${growth.toFixed(2)} times from the smallest to the largest schema`,
          met: Math.abs(growth - 1) <= 0.2,
        },
        {
          text: `${TITLES[variant]}, ${step}: within 1.5 times the bare statement`,
          measured: `${worst.toFixed(2)} times at most`,
          met: worst <= 1.5,
        },
      ];
    }),
  );
}
