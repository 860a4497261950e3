import type { Table } from "./benchmark";
import type { BenchEngine } from "./engine";
import { times } from "./pool";
import { TITLES, type Variant } from "./variants";

/** Catalogs that a login of some variant leaves rows in. */
const CATALOGS = [
  "pg_authid",
  "pg_auth_members",
  "pg_db_role_setting",
  "pg_shdepend",
  "pg_class",
  "pg_namespace",
  "pg_database",
  "pg_default_acl",
] as const;
const AT_A_TIME = 16;

/** KiB of the catalogs, with their indexes, that were added. */
export interface CatalogGrowth {
  readonly variant: Variant;
  readonly cycles: number;
  /** After the first cycles. */
  readonly first: Sizes;
  /** After the first cycles and a VACUUM. */
  readonly vacuumed: Sizes;
  /** After as many again and another VACUUM. */
  readonly second: Sizes;
}

type Sizes = Readonly<Record<(typeof CATALOGS)[number], number>>;

/** Issues and revokes, with autovacuum off, and sees what that adds to the catalogs. */
export async function catalogGrowth(
  engine: BenchEngine,
  database: string,
  variant: Variant,
  cycles: number,
): Promise<CatalogGrowth> {
  const autovacuum = async (value: "on" | "off") => {
    await engine.sql(`ALTER SYSTEM SET autovacuum = ${value}`);
    await engine.sql("SELECT pg_reload_conf()");
  };
  // In full, so that no variant finds room that one before it has left.
  await engine.sql(`VACUUM FULL ${CATALOGS.join(", ")}`, database);
  await autovacuum("off");
  try {
    const before = await sizes(engine, database);
    const grown = async () => since(before, await sizes(engine, database));
    const issueAndRevoke = () => times(cycles, AT_A_TIME, () => engine.cycle(variant, database));
    const vacuum = () => engine.sql(`VACUUM ${CATALOGS.join(", ")}`, database);
    await issueAndRevoke();
    const first = await grown();
    await vacuum();
    const vacuumed = await grown();
    await issueAndRevoke();
    await vacuum();
    return { variant, cycles, first, vacuumed, second: await grown() };
  } finally {
    await autovacuum("on");
  }
}

export function growthTables(growth: readonly CatalogGrowth[]): Table[] {
  const cycles = growth[0]?.cycles ?? 0;
  const total = (sizes: Sizes) => Math.round(Object.values(sizes).reduce((sum, size) => sum + size, 0));
  return [
    {
      title: `Growth of the catalogs without autovacuum, KiB, by ${cycles} credentials issued and revoked`,
      columns: ["Variant", "after the first", "and a VACUUM", "as many again and a VACUUM", "most in"],
      rows: growth.map(({ variant, first, vacuumed, second }) => [
        TITLES[variant],
        total(first),
        total(vacuumed),
        total(second),
        CATALOGS.filter((catalog) => first[catalog] > total(first) / 10).join(", "),
      ]),
    },
  ];
}

async function sizes(engine: BenchEngine, database: string): Promise<Sizes> {
  const list = CATALOGS.map(
    // Without the map of free space, which a first VACUUM adds and which stays small.
    (catalog) => `(pg_relation_size('${catalog}') + pg_indexes_size('${catalog}')) / 1024.0 AS ${catalog}`,
  );
  const [row = {}] = await engine.sql(`SELECT ${list.join(", ")}`, database);
  return Object.fromEntries(CATALOGS.map((catalog) => [catalog, Number(row[catalog])])) as Sizes;
}

function since(before: Sizes, after: Sizes): Sizes {
  return Object.fromEntries(CATALOGS.map((catalog) => [catalog, after[catalog] - before[catalog]])) as Sizes;
}
