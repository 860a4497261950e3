import type { Shell } from "./shell";

const INTERVAL_MS = 1_000;

/** Says how far something is, once a second at most, so that little is said of what is quick. */
export type Progress = (text: string) => void;

export function progressOn(shell: Pick<Shell, "note">): Progress {
  let last = Date.now();
  return (text) => {
    if (Date.now() - last < INTERVAL_MS) return;
    last = Date.now();
    shell.note(text);
  };
}
