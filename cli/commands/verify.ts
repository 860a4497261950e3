import { contextFrom } from "../context";
import { ExitCode } from "../exit-code";
import { outputsOf } from "../outputs";
import { proveEnvironment } from "../proof";
import { allHeld, progressLine, summary, table } from "../report";
import type { Command, CommonArguments } from "./command";

export const verify: Command<CommonArguments> = {
  usage: "verify <environment>",
  summary: "proves an environment as its applications use it",
  description:
    "Each AppRole logs in, obtains credentials, and tries in PostgreSQL what they may and may not do; each dynamic " +
    "credential is renewed and revoked. Makes and drops a table with a random name; nothing is left behind.\n\n" +
    "VAULT_TOKEN needs the rights of docs/rights/verify-policy.hcl. PGSSLROOTCERT names PostgreSQL's certificate authority.",
  examples: [
    ["verify dev", "with the outputs of the stack in cdktf.out"],
    ["verify dev --json", "the checks as JSON"],
  ],
  declare: (parser) => parser,

  async run({ environment, json, ...source }, shell) {
    const note = (text: string) => shell.note(text);
    const context = { ...contextFrom(shell.env, "docs/rights/verify-policy.hcl"), note };
    const outputs = await outputsOf(environment, source, shell.env);
    const checks = await proveEnvironment(outputs, context, (check) => {
      shell.changing(
        `proving ${environment}. Credentials end by themselves; drop the table verify_… if one is left.`,
      );
      if (!json) shell.print(progressLine(check));
    });
    const held = allHeld(checks);
    if (json) shell.print(JSON.stringify({ environment, held, checks }, null, 2));
    else shell.print(`\n${table(checks)}\n\n${summary(checks)}`);
    return held ? ExitCode.ok : ExitCode.failed;
  },
};
