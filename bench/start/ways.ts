import { runNode, type Cost } from "../synthesis/program";
import { phasesOf, type Phases } from "./phases";
import { PROGRAMS, settingsFile, type Program, type Project } from "./project";

/** Arguments of Node.js for one process. */
type Step = (way: string, program: Program) => string[];

/** One way to start an app that is written in TypeScript. */
export interface Way {
  readonly name: string;
  readonly title: string;
  /** Settings of its own for the compiler. */
  readonly options?: (program: Program) => object;
  /** Runs before, and after each change, and is no part of the start. */
  readonly before?: Step;
  readonly steps: readonly Step[];
  /** Whether the steps run at the same time. @default false */
  readonly together?: boolean;
}

const TSC = require.resolve("typescript/bin/tsc");
/** Also one that NODE_PATH leads to. */
const TS_NODE = tsNode();

const tsx: Step = (_, program) => ["--import", "tsx", PROGRAMS[program].file];
const compiled: Step = (way, program) => [`built/${way}.${program}/${PROGRAMS[program].file.slice(0, -2)}js`];
const tsc =
  (mode: "--project" | "--build"): Step =>
  (way, program) => [TSC, mode, settingsFile(way, program)];
const tsNodeWith =
  (file: string, ...flags: string[]): Step =>
  (way, program) => [file, ...flags, "--project", settingsFile(way, program), PROGRAMS[program].file];

const checking = (name: string) => (program: Program) => ({
  noEmit: true,
  tsBuildInfoFile: `built/${name}.${program}.tsbuildinfo`,
});
const emitting = (name: string) => (program: Program) => ({
  noEmit: false,
  outDir: `built/${name}.${program}`,
});

export const WAYS: readonly Way[] = [
  { name: "tsx", title: "`tsx`", steps: [tsx] },
  {
    name: "compiled",
    title: "JavaScript, compiled before",
    options: emitting("compiled"),
    before: tsc("--project"),
    steps: [compiled],
  },
  ...(TS_NODE === undefined
    ? []
    : [
        {
          name: "transpile",
          title: "`ts-node --transpile-only`",
          options: () => ({}),
          steps: [tsNodeWith(TS_NODE, "--transpile-only")],
        },
        { name: "ts-node", title: "`ts-node`", options: () => ({}), steps: [tsNodeWith(TS_NODE)] },
      ]),
  {
    name: "check",
    title: "`tsc --incremental --noEmit`, then `tsx`",
    options: checking("check"),
    steps: [tsc("--project"), tsx],
  },
  {
    name: "check-beside",
    title: "the same two at a time",
    options: checking("check-beside"),
    steps: [tsc("--project"), tsx],
    together: true,
  },
  {
    name: "build-check",
    title: "`tsc --build --noEmit`, then `tsx`",
    options: checking("build-check"),
    steps: [tsc("--build"), tsx],
  },
  {
    name: "build",
    title: "`tsc --build`, then the JavaScript",
    options: emitting("build"),
    steps: [tsc("--build"), compiled],
  },
];

export const HAS_TS_NODE = TS_NODE !== undefined;

/** Starts a program in that way, and says what all processes took; the memory is that of the largest. */
export async function startIn(way: Way, project: Project, program: Program): Promise<Cost> {
  const run = (step: Step) => runStep(step, way, project, program);
  const begin = performance.now();
  const costs: Cost[] = [];
  if (way.together === true) {
    const settled = await Promise.allSettled(way.steps.map(run));
    for (const each of settled) {
      if (each.status === "rejected") throw each.reason;
      costs.push(each.value);
    }
  } else for (const step of way.steps) costs.push(await run(step));
  return {
    seconds: (performance.now() - begin) / 1000,
    processor: costs.reduce((sum, { processor }) => sum + processor, 0),
    memory: Math.max(...costs.map(({ memory }) => memory)),
  };
}

/** Where the time goes that a way takes which is one process. */
export function profile(way: Way, project: Project, program: Program): Promise<Phases> {
  const [step] = way.steps;
  if (step === undefined || way.steps.length > 1) throw new Error(`${way.name} is not one process`);
  return phasesOf(step(way.name, program), environment(way, project, program), project.folder);
}

/** Makes what has to be there before the start, at first and after each change. */
export async function prepare(way: Way, project: Project, program: Program): Promise<void> {
  if (way.before !== undefined) await runStep(way.before, way, project, program);
}

async function runStep(step: Step, way: Way, project: Project, program: Program): Promise<Cost> {
  const { cost } = await runNode(step(way.name, program), environment(way, project, program), project.folder);
  return cost;
}

/** With a temporary folder for each way, since `tsx` keeps there what it has transformed. */
function environment(way: Way, project: Project, program: Program): NodeJS.ProcessEnv {
  return {
    CDKTF_OUTDIR: project.fileOf("cdktf.out", program),
    TMPDIR: project.folderFor("tmp", way.name),
  };
}

function tsNode(): string | undefined {
  try {
    return require.resolve("ts-node/dist/bin.js");
  } catch {
    return undefined;
  }
}
