import type { Benchmark } from "../benchmark";
import { planAndApply } from "./plan-apply";
import { schemaSize } from "./schema-size";
import { synthesis } from "./synthesis";

/** In the order in which they run and stand in docs/performance.md. */
export const BENCHMARKS: readonly Benchmark[] = [schemaSize, synthesis, planAndApply];
