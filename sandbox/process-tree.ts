import { execFileSync } from "node:child_process";
import * as fs from "node:fs";

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly zombie: boolean;
}

/**
 * The processes below the given ones, at this moment. A process group is not enough: cdktf runs Terraform on a
 * pseudo-terminal, which makes it the leader of a session of its own.
 */
export function descendants(roots: Iterable<number>): number[] {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of processTable()) {
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [pid]);
    else siblings.push(pid);
  }
  const found = new Set<number>();
  const queue = [...roots];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    for (const child of children.get(pid) ?? []) {
      if (found.has(child)) continue;
      found.add(child);
      queue.push(child);
    }
  }
  return [...found];
}

/** Whether a process runs. One that has ended but was not collected by its parent does not. */
export function isAlive(pid: number): boolean {
  if (process.platform === "linux") {
    const entry = linuxEntry(String(pid));
    return entry !== undefined && !entry.zombie;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Sends a signal to the process group that a process leads, or to the process if it leads none; one that has gone is no
 * error. Once, not to both: a second SIGINT makes Terraform drop what it is doing.
 */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  for (const target of process.platform === "win32" ? [pid] : [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch {
      // no such group, or gone already
    }
  }
}

function processTable(): ProcessEntry[] {
  // Slim images have no ps; Linux always has /proc.
  if (process.platform === "linux") {
    return fs
      .readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(linuxEntry)
      .filter((entry) => entry !== undefined);
  }
  if (process.platform === "win32") return [];
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid=,state="], { encoding: "utf8" });
  return table
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 3)
    .map((fields) => ({
      pid: Number(fields[0]),
      parent: Number(fields[1]),
      zombie: fields[2]?.startsWith("Z") === true,
    }));
}

function linuxEntry(name: string): ProcessEntry | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${name}/stat`, "utf8");
    // pid (name) state parent …; the name may hold anything, so count from its last bracket.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid: Number(name), parent: Number(fields[1]), zombie: fields[0] === "Z" || fields[0] === "X" };
  } catch {
    return undefined;
  }
}
