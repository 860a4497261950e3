import type { Benchmark } from "../benchmark";
import { BY_HAND, GROUPS } from "../plan-apply/definitions";
import type { Step } from "../plan-apply/measure";
import { Programs, type Deployments } from "../plan-apply/programs";
import { linearGoals, samplesOf, secondsTable, shareGoals } from "../plan-apply/report";

/** Of the time that HCL takes. */
const SHARE = 0.25;
/** Of the time that a role takes where there are a tenth of them. */
const NEAR = 1.2;
const QUICK: readonly Deployments[] = [
  { roles: 5, rounds: 1, definitions: [GROUPS] },
  { roles: 6, databases: 2, rounds: 1, definitions: [GROUPS], by: "first" },
  { roles: 5, rounds: 1, definitions: [BY_HAND], by: "first" },
];
const STEPS: readonly Step[] = ["plan", "apply"];
/** One program alone for what takes longest. */
const FULL: readonly Deployments[] = [
  { roles: 1_000, rounds: 1, definitions: [GROUPS], steps: STEPS },
  {
    roles: 10_000,
    databases: 10,
    rounds: 1,
    definitions: [GROUPS],
    steps: STEPS,
    by: "first",
    limits: { plan: 1_800, apply: 1_800 },
  },
  {
    roles: 1_000,
    rounds: 1,
    definitions: [BY_HAND],
    steps: STEPS,
    by: "first",
    limits: { plan: 1_800, apply: 900 },
  },
];

export const planAndApplyLarge: Benchmark = {
  name: "plan-apply-large",
  title: "Plan and apply of thousands",
  question: "Do plan and apply in groups stay in line with the roles, beside HCL with for_each?",
  async run(context) {
    const { quick } = context;
    const programs = await Programs.find((line) => context.say(line));
    const rows = await programs.deploy(quick ? QUICK : FULL);
    return {
      tables: [secondsTable(rows)],
      charts: [],
      goals: [...shareGoals(rows, GROUPS, BY_HAND, SHARE), ...linearGoals(rows, GROUPS, NEAR)],
      samples: samplesOf(rows),
      versions: await programs.versions(),
    };
  },
};
