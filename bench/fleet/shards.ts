import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { fileOf, runProgram, type Cost } from "../synthesis/program";

/** An app with some of a fleet's stacks, synthesized by a process of its own. */
export interface Shard extends Cost {
  readonly stacks: number;
  /** Bytes of one stack's file. */
  readonly file: number;
}

/** Synthesizes one app for each number of stacks. */
export async function synthesizeShards(
  sizes: readonly number[],
  roles: number,
  say: (line: string) => void,
): Promise<Shard[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bench-fleet-"));
  try {
    const shards: Shard[] = [];
    for (const stacks of sizes) {
      say(`synthesis of ${stacks} stacks`);
      const cost = await runProgram("ours.ts", [path.join(folder, "ours"), String(stacks), String(roles)]);
      const { size } = fs.statSync(fileOf(folder, "ours", `e${stacks}`));
      shards.push({ ...cost, stacks, file: size });
    }
    return shards;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}
