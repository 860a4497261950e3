import * as fs from "node:fs";

/** The last lines of a log, for a message. */
export function logTail(file: string, lines = 15): string {
  try {
    return fs.readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "(no log)";
  }
}

/** Whether a server said that its port was taken, which between choosing and listening can always happen. */
export function saysPortTaken(file: string): boolean {
  return /address already in use|could not bind|only one usage of each socket address/i.test(
    logTail(file, 50),
  );
}
