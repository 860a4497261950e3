import type { Benchmark, BenchmarkContext, BenchmarkResult } from "../benchmark";
import { BenchEngine } from "../engine";
import { interleaveCases } from "../interleave";
import { rate, times } from "../pool";
import { median } from "../statistics";

const DATABASE = "bench";
const VARIANT = "terminate";

interface Rate {
  readonly connections: number;
  readonly concurrency: number;
  /** Credentials per second, of each round. */
  readonly rates: readonly number[];
}

/** Credentials per second without the engine, of each round. */
interface Direct {
  readonly sessions: number;
  /** PostgreSQL hashes the password. */
  readonly hashing: readonly number[];
  /** PostgreSQL is given the hash, as the engine gives it. */
  readonly hashed: readonly number[];
}

/** Of no password; in the form of one, which is all that PostgreSQL looks at. */
const VERIFIER = `SCRAM-SHA-256$4096:${zeros(16)}$${zeros(32)}:${zeros(32)}`;

export const throughput: Benchmark = {
  name: "throughput",
  title: "Credentials per second",
  question: "How many credentials a second can be issued, and what is the limit?",
  run,
};

async function run(context: BenchmarkContext): Promise<BenchmarkResult> {
  const { quick } = context;
  const seconds = quick ? 0.1 : 1;
  const connections = quick ? [1, 2] : [1, 2, 4];
  const concurrencies = quick ? [1, 4] : [1, 2, 4, 8, 16, 32];
  const turns = { rounds: quick ? 1 : 3, warmUp: 0 };
  const engine = await BenchEngine.start(context);
  try {
    await engine.addDatabase(DATABASE);
    await engine.addTables(DATABASE, 0, 10);
    for (let number = 1; number <= Math.max(...connections); number++) {
      await engine.addConnection(`connection-${number}`, DATABASE);
      await engine.cycle(VARIANT, `connection-${number}`);
    }
    const cells = new Map(
      concurrencies.flatMap((concurrency) =>
        connections
          .filter((count) => count <= concurrency)
          .map((count) => [nameOf(count, concurrency), { connections: count, concurrency }] as const),
      ),
    );
    context.say(`${turns.rounds} rounds of ${cells.size} ways to ask the engine`);
    const asked = await interleaveCases(cells, turns, async (cell) => ({
      rate: await throughEngine(engine, cell.connections, cell.concurrency, seconds),
    }));
    const ways = new Map(
      connections.flatMap((sessions) => [
        [`${sessions} hashing`, { sessions, password: "x" }] as const,
        [`${sessions} hashed`, { sessions, password: VERIFIER }] as const,
      ]),
    );
    context.say(`${turns.rounds} rounds of ${ways.size} ways to ask PostgreSQL`);
    const direct = await interleaveCases(ways, turns, async ({ sessions, password }) => ({
      rate: await withoutEngine(engine, sessions, seconds, password),
    }));
    return result(
      engine.versions,
      [...cells].map(([name, cell]) => ({ ...cell, rates: asked[name]?.rate ?? [] })),
      connections.map((sessions) => ({
        sessions,
        hashing: direct[`${sessions} hashing`]?.rate ?? [],
        hashed: direct[`${sessions} hashed`]?.rate ?? [],
      })),
    );
  } finally {
    await engine.stop();
  }
}

/** Afterwards none is left, because live credentials make the next ones slower. */
async function throughEngine(
  engine: BenchEngine,
  connections: number,
  concurrency: number,
  seconds: number,
): Promise<number> {
  const leases: string[] = [];
  const measured = await rate(seconds, concurrency, async (worker) => {
    leases.push(await engine.issue(VARIANT, `connection-${(worker % connections) + 1}`));
  });
  await times(leases.length, 16, (index) => engine.revoke(leases[index] ?? ""));
  return measured;
}

/** The same SQL in a transaction each, sent by sessions of the manager that stay open; no login is left. */
async function withoutEngine(
  engine: BenchEngine,
  sessions: number,
  seconds: number,
  password: string,
): Promise<number> {
  const clients = await Promise.all(Array.from({ length: sessions }, () => engine.connectManager(DATABASE)));
  const creation = engine.creation(VARIANT, DATABASE);
  let made = 0;
  try {
    const measured = await rate(seconds, sessions, async (worker) => {
      const name = `direct-${made++}`;
      for (const sql of ["BEGIN", ...creation, "COMMIT"]) {
        const filled = sql
          .replaceAll("{{name}}", name)
          .replaceAll("{{password}}", password)
          .replaceAll("{{expiration}}", "infinity");
        await clients[worker]?.query(filled);
      }
    });
    for (let index = 0; index < made; index++) await clients[0]?.query(`DROP ROLE "direct-${index}"`);
    return measured;
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

function result(
  versions: Record<string, string>,
  rates: readonly Rate[],
  direct: readonly Direct[],
): BenchmarkResult {
  const connections = [...new Set(rates.map((each) => each.connections))];
  const concurrencies = [...new Set(rates.map((each) => each.concurrency))];
  const of = (count: number, concurrency: number) => {
    const found = rates.find((each) => each.connections === count && each.concurrency === concurrency);
    return found === undefined ? undefined : median(found.rates);
  };
  const best = (count: number) =>
    Math.max(...rates.filter((each) => each.connections === count).map((each) => median(each.rates)));
  const rows = connections.map((count) => [
    named(count),
    ...concurrencies.map((concurrency) => of(count, concurrency)?.toFixed(0) ?? "-"),
    `${(best(count) / best(1)).toFixed(2)} times`,
  ]);
  return {
    versions,
    tables: [
      {
        title: "Credentials issued per second, by requests at a time; medians",
        columns: ["Connections of the engine", ...concurrencies.map(String), "best, beside one connection"],
        rows,
      },
      {
        title: "The same SQL per second, straight to PostgreSQL by one client program; medians",
        columns: [
          "Sessions",
          "PostgreSQL hashes the password",
          "password hashed before",
          "the engine's best",
        ],
        rows: direct.map(({ sessions, hashing, hashed }) => [
          sessions,
          median(hashing).toFixed(0),
          median(hashed).toFixed(0),
          best(sessions).toFixed(0),
        ]),
      },
    ],
    charts: [
      {
        name: "rate",
        title: "Credentials issued per second",
        kind: "line",
        x: { label: "Requests at a time", log: true },
        y: { label: "Credentials", unit: "per second" },
        series: connections.map((count) => ({
          name: named(count),
          points: concurrencies.flatMap((concurrency) => {
            const measured = of(count, concurrency);
            return measured === undefined ? [] : [[concurrency, measured] as const];
          }),
        })),
      },
    ],
    goals: [],
    samples: {
      ...Object.fromEntries(rates.map((each) => [nameOf(each.connections, each.concurrency), each.rates])),
      ...Object.fromEntries(
        direct.flatMap(({ sessions, hashing, hashed }) => [
          [`${sessions} sessions of PostgreSQL, which hashes`, hashing],
          [`${sessions} sessions of PostgreSQL, hashed before`, hashed],
        ]),
      ),
    },
  };
}

function named(connections: number): string {
  return connections === 1 ? "1 connection" : `${connections} connections`;
}

function nameOf(connections: number, concurrency: number): string {
  return `${named(connections)}, ${concurrency} at a time`;
}

function zeros(bytes: number): string {
  return Buffer.alloc(bytes).toString("base64");
}
