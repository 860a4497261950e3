/** One question about cost, answered by measuring; one file each in `benchmarks/`. */
export interface Benchmark {
  /** Kebab case: names the result, the charts and the place in docs/performance.md. */
  readonly name: string;
  readonly title: string;
  readonly question: string;
  run(context: BenchmarkContext): Promise<BenchmarkResult>;
}

export interface BenchmarkContext {
  /** A short cut with small sizes, to see that it works; its figures say nothing. */
  readonly quick: boolean;
  /** Says what is going on, one line a call. */
  say(line: string): void;
}

export interface BenchmarkResult {
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
  readonly goals: readonly Goal[];
  /** What was measured, by whatever names; kept in the JSON and shown nowhere. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
  /** Versions of the programs that took part, such as `PostgreSQL`. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface Axis {
  readonly label: string;
  /** Such as `ms`; none for a plain number. */
  readonly unit?: string;
  /** @default false */
  readonly log?: boolean;
}

export interface Chart {
  /** Kebab case: the file is `<benchmark>-<name>.svg`. */
  readonly name: string;
  readonly title: string;
  readonly kind: "line" | "bar";
  readonly x: Axis;
  readonly y: Axis;
  /** Points of a line are [x, y]; of bars, [category, y]. */
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly (readonly [number | string, number])[];
  }[];
}

export interface Goal {
  readonly text: string;
  readonly measured: string;
  readonly met: boolean;
}

/** What `results/<name>.json` holds. */
export interface StoredResult extends BenchmarkResult {
  readonly name: string;
  readonly title: string;
  readonly question: string;
  readonly date: string;
  readonly seconds: number;
  readonly quick: boolean;
  readonly machine: Readonly<Record<string, string>>;
}
