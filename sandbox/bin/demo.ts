import { performance } from "node:perf_hooks";
import type { Check } from "../../cli/checks";
import { describeError } from "../../cli/errors";
import { allHeld, progressLine, summary, table } from "../../cli/report";
import { demonstrate } from "../demo";
import { isInterrupted, stopOnSignals } from "../interrupt";
import { keepLogs } from "../keep-logs";
import { startSandbox } from "../sandbox";

/** `npm run demo`: exit code 0 only if all held. */
async function main(): Promise<number> {
  const seconds = () => ((performance.now() - start) / 1000).toFixed(1);
  const say = (line: string) => {
    if (!isInterrupted()) console.log(line);
  };
  const step = (line: string) => say(`[${seconds().padStart(5)} s] ${line}`);
  const start = performance.now();

  step("Starting PostgreSQL and OpenBao or Vault");
  const sandbox = await startSandbox({ onProgress: (line) => say(`  ${line}`) });
  let checks: readonly Check[];
  let held = false;
  try {
    checks = await demonstrate(sandbox, "local", step, (check) => say(progressLine(check)));
    held = allHeld(checks);
    if (isInterrupted()) return 130;
    if (!held) console.log(`Logs are kept in ${keepLogs(sandbox)}`);
    step("Stopping");
  } finally {
    await sandbox.stop();
  }
  console.log(`\n${table(checks)}\n\n${summary(checks)}, in ${seconds()} s`);
  console.log(held ? "All held." : "Not all held.");
  return held ? 0 : 1;
}

stopOnSignals(console.log);
main().then(
  (code) => {
    if (!isInterrupted()) process.exitCode = code;
  },
  (error: unknown) => {
    // What is being stopped fails; the signal's own handler sets the exit code.
    if (isInterrupted()) return;
    console.error(describeError(error));
    process.exitCode = 1;
  },
);
