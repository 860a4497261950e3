import * as fs from "node:fs";
import * as readline from "node:readline";
import { descendants, isAlive, signalGroup } from "./process-tree";

/**
 * A process of its own that outlives the one that started it, if only for a moment: it learns by lines on its standard
 * input which processes and which folder belong to a sandbox, and when that input ends, because the sandbox has closed
 * it or because its process died in whatever way, it ends and removes what is left.
 */
const GRACE_MS = 5_000;

const watched = new Set<number>();
const folders = new Set<string>();

// Own session or not, whatever signal comes is meant for the sandbox, which ends us by closing the input.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

const input = readline.createInterface({ input: process.stdin });
input.on("line", (line) => {
  const [word, rest = ""] = line.split(/ (.*)/s);
  if (word === "watch") watched.add(Number(rest));
  else if (word === "forget") watched.delete(Number(rest));
  else if (word === "folder") folders.add(rest);
});
input.on("close", () => void finish());

async function finish(): Promise<void> {
  const all = new Set([...descendants(watched), ...watched]);
  for (const pid of all) signalGroup(pid, "SIGINT");
  const deadline = Date.now() + GRACE_MS;
  while (Date.now() < deadline && [...all].some(isAlive)) await pause(50);
  for (const pid of all) if (isAlive(pid)) signalGroup(pid, "SIGKILL");
  // A process that is just ending may still write; try again until the folder stays away.
  for (let attempt = 0; attempt < 20; attempt++) {
    for (const folder of folders) {
      try {
        fs.rmSync(folder, { recursive: true, force: true });
      } catch {
        // next attempt
      }
    }
    if (![...folders].some((folder) => fs.existsSync(folder))) break;
    await pause(100);
  }
  process.exit(0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
