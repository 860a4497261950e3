import * as fs from "node:fs";
import { descendants } from "../../sandbox/process-tree";

/** How often processes are looked at. */
const INTERVAL_MS = 250;

/** Most memory of processes and of all that they start, in MiB; pages that several share are counted once. */
export class MemoryWatch {
  private readonly timer: NodeJS.Timeout;
  private most = 0;

  /** @param roots ids of the processes that run at the moment */
  constructor(private readonly roots: () => readonly number[]) {
    this.timer = setInterval(() => this.look(), INTERVAL_MS);
  }

  /** Ends the watch; NaN on systems that are not Linux. */
  end(): number {
    clearInterval(this.timer);
    return process.platform === "linux" ? this.most : NaN;
  }

  private look(): void {
    const roots = this.roots();
    const all = [...roots, ...descendants(roots)];
    this.most = Math.max(
      this.most,
      all.reduce((sum, pid) => sum + memoryOf(pid), 0),
    );
  }
}

function memoryOf(pid: number): number {
  try {
    const [, kib] = /^Pss:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
    return Number(kib ?? 0) / 1024;
  } catch {
    // It has ended.
    return 0;
  }
}
