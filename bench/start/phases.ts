import * as path from "node:path";
import { runNode } from "../synthesis/program";

const HOOK = path.join(__dirname, "phases.cjs");

/** Where the time of a start goes, in order. */
export const PHASES = [
  "Node.js, and what it takes to run TypeScript",
  "modules of cdktf and what it needs",
  "modules of constructs",
  "modules of the bindings of vault",
  "modules of the bindings of postgresql",
  "modules of the app and the library",
  "constructs are made",
  "synthesized and written",
  "the end",
] as const;
export type Phase = (typeof PHASES)[number];

/** Packages whose modules, and those of others that they load, are of a phase. */
const PACKAGES: Readonly<Record<string, Phase>> = {
  tsx: PHASES[0],
  esbuild: PHASES[0],
  cdktf: PHASES[1],
  constructs: PHASES[2],
  "@cdktf/provider-vault": PHASES[3],
  "@cdktf/provider-postgresql": PHASES[4],
};

interface Loaded {
  readonly file: string;
  /** Which module loaded it; none for the first. */
  readonly by?: string;
  readonly began: number;
  /** Without the modules that it loaded. */
  readonly ms: number;
}

interface Told {
  readonly modules: readonly Loaded[];
  readonly marks: Readonly<Record<"app" | "synth" | "done" | "exit", number>>;
}

export interface Phases {
  readonly ms: Record<Phase, number>;
  readonly modules: Record<Phase, number>;
}

/** Runs Node.js with these arguments, and says where the time goes. What measures it takes some itself. */
export async function phasesOf(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<Phases> {
  const { told } = await runNode(["--require", HOOK, ...args], env, cwd);
  const [, json] = /^PHASES (.*)$/m.exec(told) ?? [];
  if (json === undefined) throw new Error(`node ${args.join(" ")} does not tell its phases`);
  return phasesFrom(JSON.parse(json) as Told);
}

function phasesFrom({ modules, marks }: Told): Phases {
  const main = modules.at(-1);
  if (main === undefined) throw new Error("no module was loaded");
  const ms = zeros();
  const count = zeros();
  // Modules that are loaded later are part of what needed them.
  const loaded = modules.filter(({ began }) => began >= main.began && began < marks.app);
  const byFile = new Map(loaded.map((each) => [each.file, each]));
  for (const each of loaded) {
    const phase = phaseOf(each, byFile);
    count[phase] += 1;
    if (each !== main) ms[phase] += each.ms;
  }
  const nested = Object.values(ms).reduce((sum, value) => sum + value, 0);
  ms[PHASES[0]] += main.began;
  ms[PHASES[5]] += marks.app - main.began - nested;
  ms[PHASES[6]] = marks.synth - marks.app;
  ms[PHASES[7]] = marks.done - marks.synth;
  ms[PHASES[8]] = marks.exit - marks.done;
  return { ms, modules: count };
}

function phaseOf(module: Loaded, byFile: ReadonlyMap<string, Loaded>): Phase {
  const [, name] = /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(module.file) ?? [];
  if (name === undefined) return PHASES[5];
  const own = PACKAGES[name.replace("\\", "/")];
  if (own !== undefined) return own;
  const by = byFile.get(module.by ?? "");
  return by === undefined ? PHASES[0] : phaseOf(by, byFile);
}

function zeros(): Record<Phase, number> {
  return Object.fromEntries(PHASES.map((phase) => [phase, 0])) as Record<Phase, number>;
}
