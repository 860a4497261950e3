// Loaded into a process that is measured: says at its end what it took.
const process = require("node:process");

process.on("exit", () => {
  const { userCPUTime, maxRSS } = process.resourceUsage();
  process.stderr.write(
    `\nMETER ${JSON.stringify({ processor: userCPUTime / 1e6, memory: maxRSS / 1024 })}\n`,
  );
});
