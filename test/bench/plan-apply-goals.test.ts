import { BY_HAND, GROUPS } from "../../bench/plan-apply/definitions";
import type { Step } from "../../bench/plan-apply/measure";
import type { PlanApplyRow } from "../../bench/plan-apply/programs";
import { linearGoals, secondsTable, shareGoals } from "../../bench/plan-apply/report";

/** Of what is not there, the step was given up, or not reached. */
function row(definition: string, roles: number, seconds: Partial<Record<Step, number>>): PlanApplyRow {
  const of = (step: Step) => (seconds[step] === undefined ? [] : [seconds[step]]);
  return {
    ...{ program: "Terraform", definition, roles, databases: 1, state: "PostgreSQL" },
    steps: ["plan", "apply"],
    limits: { plan: 600, apply: 300, planAgain: 600 },
    seconds: { plan: of("plan"), apply: of("apply"), planAgain: [] },
  };
}
const shares = (...rows: PlanApplyRow[]) =>
  shareGoals(rows, GROUPS, BY_HAND, 0.25).map(({ measured, met }) => ({ measured, met }));

test("the share is of the most roles for which the other was tried", () => {
  expect(
    shares(
      row(GROUPS.name, 10, { plan: 4, apply: 4 }),
      row(BY_HAND.name, 10, { plan: 1, apply: 1 }),
      row(GROUPS.name, 100, { plan: 20, apply: 30 }),
      row(BY_HAND.name, 100, { plan: 100, apply: 100 }),
    ),
  ).toEqual([
    { measured: "0.20", met: true },
    { measured: "0.30", met: false },
  ]);
});

test("what was given up took at least as long as it may", () => {
  expect(
    shares(row(GROUPS.name, 100, { plan: 20, apply: 60 }), row(BY_HAND.name, 100, { plan: 100 })),
  ).toEqual([
    { measured: "0.20", met: true },
    { measured: "less than 0.20", met: true },
  ]);
  expect(
    shares(row(GROUPS.name, 100, { plan: 20 }), row(BY_HAND.name, 100, { plan: 100, apply: 10 }))[1]?.met,
  ).toBe(false);
});

test("where the plan was given up, plan and apply are compared together, with nothing for the apply", () => {
  const rows = [row(GROUPS.name, 100, { plan: 60, apply: 30 }), row(BY_HAND.name, 100, {})];
  expect(shares(...rows)).toEqual([
    { measured: "less than 0.10", met: true },
    { measured: "less than 0.15", met: true },
  ]);
  expect(shareGoals(rows, GROUPS, BY_HAND, 0.25)[1]?.text).toContain("first plan and apply of 100 roles");
  expect(secondsTable(rows).rows[1]).toEqual(
    expect.arrayContaining([BY_HAND.name, "> 600", "-"]) as unknown[],
  );
});

test("a role among ten times as many is compared with one among fewer", () => {
  const rows = [row(GROUPS.name, 10, { plan: 1, apply: 2 }), row(GROUPS.name, 100, { plan: 11, apply: 30 })];
  expect(linearGoals(rows, GROUPS, 1.2).map(({ measured, met }) => [measured, met])).toEqual([
    ["1.10", true],
    ["1.50", false],
  ]);
});
