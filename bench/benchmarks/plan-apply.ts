import type { Benchmark } from "../benchmark";
import { BY_HAND, GROUPS, STATES } from "../plan-apply/definitions";
import { Programs, type Deployments } from "../plan-apply/programs";
import { charts, samplesOf, secondsTable, shareGoals } from "../plan-apply/report";

/** Of the time that HCL takes. */
const SHARE = 0.25;
const QUICK: readonly Deployments[] = STATES.map((state) => ({ roles: 5, rounds: 1, state }));
const FULL: readonly Deployments[] = [
  { roles: 100, rounds: 1, state: "file" },
  { roles: 10, rounds: 3 },
  { roles: 100, rounds: 3 },
  { roles: 300, rounds: 1 },
];

export const planAndApply: Benchmark = {
  name: "plan-apply",
  title: "Plan and apply",
  question: "What do plan and apply cost for many roles, beside HCL with for_each?",
  async run(context) {
    const { quick } = context;
    const programs = await Programs.find((line) => context.say(line));
    const costs = await (quick ? programs.count(2, 4) : programs.count(4, 14));
    const rows = await programs.deploy(quick ? QUICK : FULL);
    const most = costs[0]?.vault.apply ?? 0;
    const ofBoth = costs.filter(({ of }) => of === costs[0]?.of);
    return {
      tables: [
        secondsTable(rows),
        {
          title: "What one more asks of the servers",
          columns: [
            "definition",
            "one more",
            "resources",
            "Vault, plan and apply",
            "Vault, plan of what stands",
            "PostgreSQL, plan and apply",
            "PostgreSQL, plan of what stands",
          ],
          rows: costs.map(({ definition, of, resources, vault, postgres }) => [
            definition,
            of,
            ...[resources, vault.apply, vault.planAgain, postgres.apply, postgres.planAgain].map((n) =>
              n.toFixed(1),
            ),
          ]),
        },
      ],
      charts: charts(rows),
      goals: [
        ...shareGoals(rows, GROUPS, BY_HAND, SHARE),
        {
          text: "no more requests to Vault for a role and its application than HCL",
          measured: ofBoth
            .map(({ definition, vault }) => `${definition}: ${vault.apply.toFixed(1)}`)
            .join(", "),
          met: ofBoth.every(({ vault }) => vault.apply <= most),
        },
      ],
      samples: samplesOf(rows),
      versions: await programs.versions(),
    };
  },
};
