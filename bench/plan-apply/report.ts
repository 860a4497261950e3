import type { BenchmarkResult, Chart, Goal, Table } from "../benchmark";
import { median } from "../statistics";
import type { Definition, State } from "./definitions";
import { STEPS, type Step } from "./measure";
import type { PlanApplyRow } from "./programs";

const TITLES: Record<Step, string> = {
  plan: "first plan",
  apply: "apply",
  planAgain: "plan of what stands",
};
/** As a team keeps it: what charts and goals are of. */
const COMPARED: State = "PostgreSQL";

export function secondsTable(rows: readonly PlanApplyRow[]): Table {
  const shown = (row: PlanApplyRow, step: Step) => {
    if (row.seconds[step].length > 0) return median(row.seconds[step]).toFixed(1);
    return wasTried(row, step) ? `> ${row.limits[step]}` : "-";
  };
  return {
    title: "Seconds by number of roles, medians",
    columns: ["roles", "state in", "program", "definition", "rounds", ...STEPS.map((step) => TITLES[step])],
    rows: rows.map((row) => [
      row.roles,
      row.state === "file" ? "a file" : row.state,
      row.program,
      row.databases === 1 ? row.definition : `${row.definition}, ${row.databases} databases and logins`,
      Math.max(1, row.seconds.plan.length),
      ...STEPS.map((step) => shown(row, step)),
    ]),
  };
}

export function samplesOf(rows: readonly PlanApplyRow[]): BenchmarkResult["samples"] {
  return Object.fromEntries(
    rows.flatMap((row) =>
      STEPS.map((step) => [
        `${row.program}, ${row.definition}, ${row.roles}, state in ${row.state}, ${TITLES[step]}`,
        row.seconds[step],
      ]),
    ),
  );
}

export function charts(rows: readonly PlanApplyRow[]): Chart[] {
  return STEPS.map((step) => chartOf(rows, step));
}

function chartOf(rows: readonly PlanApplyRow[], step: Step): Chart {
  const lines = new Map<string, [number, number][]>();
  for (const { program, definition, roles, state, seconds } of rows) {
    if (state !== COMPARED) continue;
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

/**
 * That one definition takes at most a share of the time of another, by each program, for the plan and the apply: with
 * the most roles for which the other was tried. What was given up took longer than it may; where that was the plan, so that
 * the apply was not tried, both steps together are compared.
 */
export function shareGoals(
  rows: readonly PlanApplyRow[],
  of: Definition,
  beside: Definition,
  most: number,
): Goal[] {
  return each(rows, (program, step) => {
    const theirs = asked(rows, program, beside, step).at(-1);
    if (theirs === undefined) return [];
    const steps = wasTried(theirs, step) ? [step] : STEPS.slice(0, STEPS.indexOf(step) + 1);
    const ours = asked(rows, program, of, step).find(({ roles }) => roles === theirs.roles);
    const share = sum(steps, ours, () => Infinity) / sum(steps, theirs, (of) => theirs.limits[of]);
    const given = steps.some((of) => theirs.seconds[of].length === 0);
    return [
      {
        text: `${program}, ${steps.map((of) => TITLES[of]).join(" and ")} of ${shownCount(theirs.roles)} roles: ${of.name} at most ${most} of ${beside.name}`,
        measured: `${given ? "less than " : ""}${share.toFixed(2)}`,
        met: share <= most,
      },
    ];
  });
}

/** That with ten times the roles a role takes at most so many times as long, at the most roles that there are. */
export function linearGoals(rows: readonly PlanApplyRow[], of: Definition, most: number): Goal[] {
  return each(rows, (program, step) => {
    const sizes = asked(rows, program, of, step).filter((row) => wasTried(row, step));
    const many = sizes.at(-1);
    const few = sizes.find(({ roles }) => roles === (many?.roles ?? 0) / 10);
    if (many === undefined || few === undefined) return [];
    const times = secondsOf(many, step, Infinity) / 10 / secondsOf(few, step, 0);
    return [
      {
        text: `${program}, ${TITLES[step]}, ${of.name}: a role of ${shownCount(many.roles)} at most ${most} times one of ${shownCount(few.roles)}`,
        measured: times.toFixed(2),
        met: times <= most,
      },
    ];
  });
}

function each(rows: readonly PlanApplyRow[], goals: (program: string, step: Step) => Goal[]): Goal[] {
  const programs = [...new Set(rows.map(({ program }) => program))];
  return programs.flatMap((program) => (["plan", "apply"] as const).flatMap((step) => goals(program, step)));
}

/** Rows for which a step was to be done, in order of size. */
function asked(
  rows: readonly PlanApplyRow[],
  program: string,
  { name }: Definition,
  step: Step,
): PlanApplyRow[] {
  return rows.filter(
    (row) =>
      row.state === COMPARED &&
      row.program === program &&
      row.definition === name &&
      row.steps.includes(step),
  );
}

/** A step was not, if the one before was given up. */
function wasTried({ steps, seconds }: PlanApplyRow, step: Step): boolean {
  const before = STEPS[STEPS.indexOf(step) - 1];
  return steps.includes(step) && (before === undefined || seconds[before].length > 0);
}

function secondsOf(row: PlanApplyRow | undefined, step: Step, otherwise: number): number {
  return row !== undefined && row.seconds[step].length > 0 ? median(row.seconds[step]) : otherwise;
}

/** Of several steps; of one that was given up, at least what it may take, and of those after it nothing. */
function sum(steps: readonly Step[], row: PlanApplyRow | undefined, givenUp: (step: Step) => number): number {
  return steps.reduce((seconds, step) => {
    const otherwise = row === undefined || wasTried(row, step) ? givenUp(step) : 0;
    return seconds + secondsOf(row, step, otherwise);
  }, 0);
}

function shownCount(roles: number): string {
  return roles.toLocaleString("en");
}
