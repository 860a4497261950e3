import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Sandbox } from "../../sandbox/sandbox";
import { Agent } from "./agent";
import { announce } from "./announce";

interface Configuration {
  readonly vault: readonly { readonly address: string; readonly vault_agent_token_file: string }[];
  readonly template: unknown;
}

/** Whether the real one is on the PATH; where it is not, the engine's agent, which reads the same templates, stands in. */
export function hasConsulTemplate(): boolean {
  try {
    execFileSync("consul-template", ["-version"], { stdio: "ignore" });
    return true;
  } catch {
    announce(
      "consul-template is not on the PATH: the engine's agent renders the templates, the rest is skipped",
    );
    return false;
  }
}

/** Runs consul-template with a configuration. @param folder also its home folder */
export function startConsulTemplate(sandbox: Sandbox, folder: string, configuration: string): Agent {
  const file = path.join(folder, "consul-template.json");
  fs.writeFileSync(file, configuration);
  const running = sandbox.lifetime.start({
    command: "consul-template",
    args: [`-config=${file}`, "-log-level=debug"],
    env: { PATH: process.env.PATH, HOME: folder },
    logFile: path.join(folder, "consul-template.log"),
  });
  return new Agent(sandbox, running);
}

/** Has the templates of a configuration rendered by the engine's agent, with the same token. */
export function startAgentInstead(sandbox: Sandbox, folder: string, configuration: string): Promise<Agent> {
  const { vault, template } = JSON.parse(configuration) as Configuration;
  const method = {
    type: "token_file",
    config: [{ token_file_path: vault[0]?.vault_agent_token_file }],
  };
  const own = { vault: [{ address: vault[0]?.address }], auto_auth: [{ method: [method] }], template };
  return Agent.start(sandbox, folder, JSON.stringify(own));
}
