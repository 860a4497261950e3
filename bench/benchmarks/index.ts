import type { Benchmark } from "../benchmark";
import { demo } from "./demo";
import { fleet } from "./fleet";
import { liveCredentials } from "./live-credentials";
import { planAndApply } from "./plan-apply";
import { planAndApplyLarge } from "./plan-apply-large";
import { planAndApplyModule } from "./plan-apply-module";
import { schemaSize } from "./schema-size";
import { start } from "./start";
import { synthesis } from "./synthesis";
import { tests } from "./tests";
import { throughput } from "./throughput";

/** In the order in which they run and stand in docs/performance.md. */
export const BENCHMARKS: readonly Benchmark[] = [
  schemaSize,
  liveCredentials,
  throughput,
  synthesis,
  start,
  planAndApply,
  planAndApplyLarge,
  planAndApplyModule,
  fleet,
  demo,
  tests,
];
