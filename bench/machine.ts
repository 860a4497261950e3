import * as os from "node:os";

/** The machine, without names and paths. */
export function describeMachine(): Record<string, string> {
  const cpus = os.cpus();
  return {
    Cores: String(cpus.length),
    Memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    "Node.js": process.versions.node,
    "Operating system": `${os.type()} ${os.release()} ${os.arch()}`,
    Processor: cpus[0]?.model.trim() ?? "unknown",
  };
}
