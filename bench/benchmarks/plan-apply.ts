import type { Benchmark, Goal } from "../benchmark";
import { FULL, planApply, QUICK, type PlanApplyRow } from "../plan-apply/plan-apply";

const BY_HAND = "HCL with for_each";
const SPLIT = "base and groups";
/** Of the time that HCL takes. */
const SHARE = 0.25;

export const planAndApply: Benchmark = {
  name: "plan-apply",
  title: "Plan and apply",
  question: "What do Terraform's plan and apply cost for many roles, beside HCL with for_each?",
  async run({ quick, ...context }) {
    const { rows, costs, versions } = await planApply({
      ...(quick ? QUICK : FULL),
      onProgress: (line) => context.say(line),
    });
    const most = Math.max(...rows.map(({ roles }) => roles));
    return {
      tables: [
        {
          title: "Seconds by number of roles",
          columns: ["roles", "definition", "first plan", "apply", "plan of what stands"],
          rows: rows.map((row) => [
            row.roles,
            row.definition,
            ...[row.plan, row.apply, row.planAgain].map((seconds) => seconds.toFixed(1)),
          ]),
        },
        {
          title: "What one more role asks of the servers",
          columns: ["definition", "Vault, apply", "Vault, plan", "PostgreSQL, apply", "PostgreSQL, plan"],
          rows: costs.map(({ definition, vault, postgres }) => [
            definition,
            ...[vault.apply, vault.planAgain, postgres.apply, postgres.planAgain].map((n) => n.toFixed(1)),
          ]),
        },
      ],
      charts: [
        {
          name: "apply",
          title: "Apply, by number of roles",
          kind: "line",
          x: { label: "roles", log: true },
          y: { label: "apply", unit: "s", log: true },
          series: [...new Set(rows.map(({ definition }) => definition))].map((name) => ({
            name,
            points: rows
              .filter((row) => row.definition === name)
              .map((row) => [row.roles, row.apply] as const),
          })),
        },
      ],
      goals: [
        goal(rows, most, "plan"),
        goal(rows, most, "apply"),
        {
          text: "no more requests to Vault per role than HCL",
          measured: costs.map(({ definition, vault }) => `${definition}: ${vault.apply}`).join(", "),
          met: costs.every(({ vault }) => vault.apply <= (costs[0]?.vault.apply ?? 0)),
        },
      ],
      samples: Object.fromEntries(
        rows.map((row) => [`${row.definition}, ${row.roles}`, [row.plan, row.apply, row.planAgain]]),
      ),
      versions,
    };
  },
};

function goal(rows: readonly PlanApplyRow[], roles: number, step: "plan" | "apply"): Goal {
  const of = (definition: string) =>
    rows.find((row) => row.roles === roles && row.definition === definition)?.[step] ?? NaN;
  const share = of(SPLIT) / of(BY_HAND);
  return {
    text: `${step} of ${roles} roles in groups takes at most ${SHARE} of what HCL takes`,
    measured: share.toFixed(2),
    met: share <= SHARE,
  };
}
