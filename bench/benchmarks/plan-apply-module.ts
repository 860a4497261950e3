import type { Benchmark } from "../benchmark";
import { BY_HAND, GROUPS, MODULES } from "../plan-apply/definitions";
import { Programs, type Deployments } from "../plan-apply/programs";
import { linearGoals, samplesOf, secondsTable } from "../plan-apply/report";

/** Of the time that a role takes where there are a tenth of them. */
const NEAR = 1.2;
const QUICK: readonly Deployments[] = [
  { roles: 5, rounds: 1, definitions: [BY_HAND, MODULES, GROUPS], by: "first" },
];
/** One program alone; resources with for_each only where they come to an end. */
const FULL: readonly Deployments[] = [
  { roles: 100, rounds: 1, definitions: [BY_HAND, MODULES, GROUPS], by: "first" },
  { roles: 1_000, rounds: 1, definitions: [MODULES, GROUPS], by: "first", limits: { apply: 900 } },
];

export const planAndApplyModule: Benchmark = {
  name: "plan-apply-module",
  title: "Plan and apply of a module",
  question: "Does HCL with a module for one role do better than resources with for_each, and than groups?",
  async run(context) {
    const { quick } = context;
    const programs = await Programs.find((line) => context.say(line));
    const rows = await programs.deploy(quick ? QUICK : FULL);
    return {
      tables: [secondsTable(rows)],
      charts: [],
      goals: linearGoals(rows, GROUPS, NEAR),
      samples: samplesOf(rows),
      versions: await programs.versions(),
    };
  },
};
