import { parseArgs } from "node:util";
import { describeError, UserError } from "../cli/errors";
import { isInterrupted, stopOnSignals } from "../sandbox/interrupt";
import { Lifetime } from "../sandbox/lifetime";
import type { Benchmark, StoredResult } from "./benchmark";
import { BENCHMARKS } from "./benchmarks";
import { describeMachine } from "./machine";
import { textOf } from "./report";
import { RESULTS, updateDocument, writeResult } from "./results";

/**
 * `npm run bench -- [--quick] [--output <folder>] [<name>...]`: measures, prints, and writes results, charts and the
 * tables of docs/performance.md; with `--quick` or `--output`, nothing of the repository is touched.
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: "boolean", default: false }, output: { type: "string" } },
  });
  for (const benchmark of chosen(positionals)) {
    const result = await measure(benchmark, values.quick);
    console.log(`\n${textOf(result)}\n`);
    if (values.output !== undefined) writeResult(values.output, result);
    else if (!values.quick) {
      writeResult(RESULTS, result);
      updateDocument(result);
    }
  }
}

function chosen(names: readonly string[]): readonly Benchmark[] {
  if (names.length === 0) return BENCHMARKS;
  return names.map((name) => {
    const found = BENCHMARKS.find((benchmark) => benchmark.name === name);
    if (found !== undefined) return found;
    const known = BENCHMARKS.map((benchmark) => benchmark.name).join(", ");
    throw new UserError(`There is no benchmark "${name}".`, `Choose from: ${known}.`);
  });
}

async function measure(benchmark: Benchmark, quick: boolean): Promise<StoredResult> {
  const start = performance.now();
  const say = (line: string) => console.error(`${benchmark.name}: ${line}`);
  const result = await benchmark.run({ quick, say });
  return {
    ...result,
    name: benchmark.name,
    title: benchmark.title,
    question: benchmark.question,
    date: new Date().toISOString().slice(0, 10),
    seconds: (performance.now() - start) / 1000,
    quick,
    machine: describeMachine(),
  };
}

stopOnSignals(console.error);
main()
  .catch((error: unknown) => {
    if (isInterrupted()) return;
    console.error(describeError(error));
    process.exitCode = 1;
  })
  .finally(() => Lifetime.endAll());
