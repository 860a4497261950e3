import type { Benchmark, BenchmarkContext, BenchmarkResult, Chart, Table } from "../benchmark";
import { costGoals, type Steps } from "../cost-goals";
import { BenchEngine } from "../engine";
import { interleaveCases, type Turns } from "../interleave";
import { median, spread } from "../statistics";
import { OURS, TITLES, VARIANTS, type Variant } from "../variants";

/** What a size means: how many tables in one schema, or schemas with a table each. */
type What = "tables" | "schemas";
type Measured = ReadonlyMap<number, Partial<Steps>>;

const STEPS = ["issue", "revoke"] as const;
const TITLE_OF = { issue: "Issue", revoke: "Revoke" } as const;
const BARE_AND_OURS = ["bare", ...OURS] as const;

export const schemaSize: Benchmark = {
  name: "schema-size",
  title: "Issue and revoke against schema size",
  question: "Does a credential cost more where the schema is larger?",
  run,
};

async function run(context: BenchmarkContext): Promise<BenchmarkResult> {
  const { quick } = context;
  const sizes = {
    tables: quick ? [10, 50] : [10, 100, 1_000, 10_000],
    schemas: quick ? [1, 5] : [1, 10, 100],
  };
  const engine = await BenchEngine.start(context);
  try {
    for (const tables of sizes.tables) {
      await engine.addDatabase(databaseOf("tables", tables));
      await engine.addTables(databaseOf("tables", tables), 0, tables);
    }
    for (const schemas of sizes.schemas) await addSchemas(engine, schemas);
    const measure = async (what: What, variants: readonly Variant[], rounds: number, warmUp: number) => {
      context.say(`${sizes[what].join(", ")} ${what}: ${variants.join(", ")}; ${rounds} rounds`);
      return measureSizes(engine, what, sizes[what], variants, { rounds, warmUp });
    };
    const ours = await measure("tables", BARE_AND_OURS, quick ? 1 : 40, quick ? 1 : 3);
    const schemas = await measure("schemas", BARE_AND_OURS, quick ? 1 : 40, quick ? 1 : 3);
    // Last, because what they leave in the catalogs is in the way of all that comes after.
    const others = await measure("tables", ["grants", "documented"], quick ? 1 : 7, quick ? 0 : 1);
    const tables = new Map([...ours].map(([size, steps]) => [size, { ...steps, ...others.get(size) }]));
    return result(engine.versions, tables, schemas);
  } finally {
    await engine.stop();
  }
}

/** Variants and sizes in turns, so that what the machine does meanwhile meets all of them. */
async function measureSizes(
  engine: BenchEngine,
  what: What,
  sizes: readonly number[],
  variants: readonly Variant[],
  options: Turns,
): Promise<Measured> {
  const cases = new Map(
    sizes.flatMap((size) => variants.map((variant) => [`${variant} ${size}`, { size, variant }] as const)),
  );
  const samples = await interleaveCases(cases, options, ({ size, variant }) =>
    engine.cycle(variant, databaseOf(what, size)),
  );
  return new Map(
    sizes.map((size) => [
      size,
      Object.fromEntries(variants.map((variant) => [variant, samples[`${variant} ${size}`]!])),
    ]),
  );
}

/** A database for each size. */
function databaseOf(what: What, size: number): string {
  return `${what}_${size}`;
}

async function addSchemas(engine: BenchEngine, count: number): Promise<void> {
  const database = databaseOf("schemas", count);
  const base = `${database}_read_only`;
  await engine.addDatabase(database);
  await engine.sql(
    `DO $$ BEGIN FOR n IN 1..${count} LOOP
       EXECUTE format('CREATE SCHEMA s%s', n);
       EXECUTE format('CREATE TABLE s%s.t (id int)', n);
       EXECUTE format('GRANT USAGE ON SCHEMA s%s TO ${base}', n);
       EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA s%s TO ${base}', n);
     END LOOP; END $$`,
    database,
  );
  await engine.sql("VACUUM ANALYZE", database);
}

function result(versions: Record<string, string>, tables: Measured, schemas: Measured): BenchmarkResult {
  return {
    versions,
    tables: [
      ...STEPS.map((step) => tableOf(step, "tables", tables)),
      ...STEPS.map((step) => tableOf(step, "schemas", schemas)),
    ],
    charts: [
      ...STEPS.map((step) => chartOf(step, "tables", tables)),
      ...STEPS.map((step) => chartOf(step, "schemas", schemas)),
    ],
    goals: [
      ...costGoals(tables as ReadonlyMap<number, Steps>, "tables"),
      ...costGoals(schemas as ReadonlyMap<number, Steps>, "schemas"),
    ],
    samples: Object.fromEntries([...samplesOf("tables", tables), ...samplesOf("schemas", schemas)]),
  };
}

function tableOf(step: (typeof STEPS)[number], what: What, measured: Measured): Table {
  return {
    title: `${TITLE_OF[step]}, ms: median (10th to 90th percentile), by ${what}`,
    columns: ["Variant", ...[...measured.keys()].map((size) => `${size} ${what}`)],
    rows: variantsIn(measured).map((variant) => [
      TITLES[variant],
      ...[...measured.values()].map((steps) => spread(steps[variant]?.[step] ?? [])),
    ]),
  };
}

function chartOf(step: (typeof STEPS)[number], what: What, measured: Measured): Chart {
  return {
    name: `${step}-${what}`,
    title: `${step === "issue" ? "Issuing" : "Revoking"} a credential, by ${what}`,
    kind: "line",
    x: { label: what === "tables" ? "Tables in the database" : "Schemas in the database", log: true },
    y: { label: "Median time", unit: "ms", log: what === "tables" },
    series: variantsIn(measured).map((variant) => ({
      name: TITLES[variant],
      points: [...measured].map(([size, steps]) => [size, median(steps[variant]?.[step] ?? [])] as const),
    })),
  };
}

function variantsIn(measured: Measured): Variant[] {
  return VARIANTS.filter((variant) => [...measured.values()].every((steps) => steps[variant]));
}

function samplesOf(what: What, measured: Measured): [string, readonly number[]][] {
  return [...measured].flatMap(([size, steps]) =>
    variantsIn(measured).flatMap((variant) =>
      STEPS.map((step): [string, number[]] => [
        `${variant} ${step}, ${size} ${what}`,
        steps[variant]?.[step] ?? [],
      ]),
    ),
  );
}
