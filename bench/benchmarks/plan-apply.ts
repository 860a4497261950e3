import type { Benchmark, Chart, Goal } from "../benchmark";
import { BY_HAND, GROUPS, type Definition } from "../plan-apply/definitions";
import { STEPS, type Step } from "../plan-apply/measure";
import { FULL, planApply, QUICK, type PlanApplyRow } from "../plan-apply/plan-apply";
import { median } from "../statistics";

/** Of the time that HCL takes. */
const SHARE = 0.25;
const TITLES: Record<Step, string> = {
  plan: "first plan",
  apply: "apply",
  planAgain: "plan of what stands",
};

export const planAndApply: Benchmark = {
  name: "plan-apply",
  title: "Plan and apply",
  question: "What do plan and apply cost for many roles, beside HCL with for_each?",
  async run(context) {
    const { quick } = context;
    const options = { ...(quick ? QUICK : FULL), onProgress: (line: string) => context.say(line) };
    const { rows, costs, versions } = await planApply(options);
    const shown = (row: PlanApplyRow, step: Step) => {
      if (row.seconds[step].length > 0) return median(row.seconds[step]).toFixed(1);
      return wasTried(row, step) ? `> ${options.limitSeconds}` : "-";
    };
    return {
      tables: [
        {
          title: "Seconds by number of roles, medians",
          columns: ["roles", "program", "definition", "rounds", ...STEPS.map((step) => TITLES[step])],
          rows: rows.map((row) => [
            row.roles,
            row.program,
            row.definition,
            Math.max(1, row.seconds.plan.length),
            ...STEPS.map((step) => shown(row, step)),
          ]),
        },
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
      charts: STEPS.map((step) => chartOf(rows, step)),
      goals: [
        ...[...new Set(rows.map(({ program }) => program))].flatMap((program) =>
          (["plan", "apply"] as const).map((step) => goal(rows, program, step, options.limitSeconds)),
        ),
        {
          text: "no more requests to Vault for a role and its application than HCL",
          measured: costs
            .slice(0, 3)
            .map(({ definition, vault }) => `${definition}: ${vault.apply.toFixed(1)}`)
            .join(", "),
          met: costs.slice(0, 3).every(({ vault }) => vault.apply <= (costs[0]?.vault.apply ?? 0)),
        },
      ],
      samples: Object.fromEntries(
        rows.flatMap((row) =>
          STEPS.map((step) => [
            `${row.program}, ${row.definition}, ${row.roles}, ${TITLES[step]}`,
            row.seconds[step],
          ]),
        ),
      ),
      versions,
    };
  },
};

function chartOf(rows: readonly PlanApplyRow[], step: Step): Chart {
  const lines = new Map<string, [number, number][]>();
  for (const { program, definition, roles, seconds } of rows) {
    const line = lines.get(`${definition}, ${program}`) ?? [];
    lines.set(`${definition}, ${program}`, line);
    if (seconds[step].length > 0) line.push([roles, median(seconds[step])]);
  }
  return {
    name: step === "planAgain" ? "plan-again" : step,
    title: `${TITLES[step]}, by number of roles`.replace(/^./, (letter) => letter.toUpperCase()),
    kind: "line",
    x: { label: "roles", log: true },
    y: { label: TITLES[step], unit: "s", log: true },
    series: [...lines].map(([name, points]) => ({ name, points })),
  };
}

/** At the largest size that HCL was tried with; what was given up took longer than it may. */
function goal(rows: readonly PlanApplyRow[], program: string, step: Step, limitSeconds: number): Goal {
  const of = ({ name }: Definition) =>
    rows.filter((row) => row.program === program && row.definition === name && wasTried(row, step));
  const most = Math.max(...of(BY_HAND).map(({ roles }) => roles));
  const secondsOf = (definition: Definition) =>
    of(definition).find(({ roles }) => roles === most)?.seconds[step] ?? [];
  const byHand = secondsOf(BY_HAND);
  const inGroups = secondsOf(GROUPS);
  const share =
    (inGroups.length > 0 ? median(inGroups) : Infinity) / (byHand.length > 0 ? median(byHand) : limitSeconds);
  return {
    text: `${program}: ${TITLES[step]} of ${most.toLocaleString("en")} roles in groups takes at most ${SHARE} of what HCL takes`,
    measured: `${byHand.length > 0 ? "" : "less than "}${share.toFixed(2)}`,
    met: share <= SHARE,
  };
}

/** A step was not, if the one before was given up. */
function wasTried({ seconds }: PlanApplyRow, step: Step): boolean {
  const before = STEPS[STEPS.indexOf(step) - 1];
  return before === undefined || seconds[before].length > 0;
}
