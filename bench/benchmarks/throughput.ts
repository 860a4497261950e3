import type { Benchmark, BenchmarkContext, BenchmarkResult } from "../benchmark";
import { BenchEngine } from "../engine";
import { rate } from "../pool";

const DATABASE = "bench";
const VARIANT = "terminate";

interface Rate {
  readonly connections: number;
  readonly concurrency: number;
  /** Credentials per second. */
  readonly rate: number;
}

/** Credentials per second without the engine. */
interface Direct {
  readonly sessions: number;
  /** PostgreSQL hashes the password. */
  readonly hashing: number;
  /** PostgreSQL is given the hash, as the engine gives it. */
  readonly hashed: number;
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
  const seconds = quick ? 0.1 : 2;
  const connections = quick ? [1, 2] : [1, 2, 4];
  const concurrencies = quick ? [1, 4] : [1, 2, 4, 8, 16, 32];
  const engine = await BenchEngine.start(context);
  try {
    await engine.addDatabase(DATABASE);
    await engine.addTables(DATABASE, 0, 10);
    for (let number = 1; number <= Math.max(...connections); number++) {
      await engine.addConnection(`connection-${number}`, DATABASE);
      await engine.cycle(VARIANT, `connection-${number}`);
    }
    const rates: Rate[] = [];
    for (const concurrency of concurrencies) {
      for (const count of connections.filter((each) => each <= concurrency)) {
        context.say(`${concurrency} at a time, ${count} connections`);
        const issue = (worker: number) => engine.issue(VARIANT, `connection-${(worker % count) + 1}`);
        rates.push({ connections: count, concurrency, rate: await rate(seconds, concurrency, issue) });
      }
    }
    const direct: Direct[] = [];
    for (const sessions of connections) {
      context.say(`${sessions} sessions of PostgreSQL`);
      direct.push({
        sessions,
        hashing: await withoutEngine(engine, sessions, seconds, "x"),
        hashed: await withoutEngine(engine, sessions, seconds, VERIFIER),
      });
    }
    return result(engine.versions, rates, direct);
  } finally {
    await engine.stop();
  }
}

/** The same SQL in a transaction each, sent by sessions of the manager that stay open. */
async function withoutEngine(
  engine: BenchEngine,
  sessions: number,
  seconds: number,
  password: string,
): Promise<number> {
  const clients = await Promise.all(Array.from({ length: sessions }, () => engine.connectManager(DATABASE)));
  const creation = engine.creation(VARIANT, DATABASE);
  const kind = password === VERIFIER ? "hashed" : "plain";
  let made = 0;
  try {
    return await rate(seconds, sessions, async (worker) => {
      const name = `${kind}-${sessions}-${made++}`;
      for (const sql of ["BEGIN", ...creation, "COMMIT"]) {
        const filled = sql
          .replaceAll("{{name}}", name)
          .replaceAll("{{password}}", password)
          .replaceAll("{{expiration}}", "infinity");
        await clients[worker]?.query(filled);
      }
    });
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
  const of = (count: number, concurrency: number) =>
    rates.find((each) => each.connections === count && each.concurrency === concurrency)?.rate;
  const best = (count: number) =>
    Math.max(...rates.filter((each) => each.connections === count).map((each) => each.rate));
  const rows = connections.map((count) => [
    named(count),
    ...concurrencies.map((concurrency) => of(count, concurrency)?.toFixed(0) ?? "-"),
    `${(best(count) / best(1)).toFixed(2)} times`,
  ]);
  return {
    versions,
    tables: [
      {
        title: "Credentials issued per second, by requests at a time",
        columns: ["Connections of the engine", ...concurrencies.map(String), "best, beside one connection"],
        rows,
      },
      {
        title: "The same SQL per second, straight to PostgreSQL by one client program",
        columns: [
          "Sessions",
          "PostgreSQL hashes the password",
          "password hashed before",
          "the engine's best",
        ],
        rows: direct.map(({ sessions, hashing, hashed }) => [
          sessions,
          hashing.toFixed(0),
          hashed.toFixed(0),
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
      ...Object.fromEntries(
        rates.map((each) => [`${named(each.connections)}, ${each.concurrency} at a time`, [each.rate]]),
      ),
      ...Object.fromEntries(
        direct.map(({ sessions, hashing, hashed }) => [
          `${sessions} sessions of PostgreSQL`,
          [hashing, hashed],
        ]),
      ),
    },
  };
}

function named(connections: number): string {
  return connections === 1 ? "1 connection" : `${connections} connections`;
}

function zeros(bytes: number): string {
  return Buffer.alloc(bytes).toString("base64");
}
