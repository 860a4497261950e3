import { parseArgs } from "node:util";
import { contextFrom } from "./context";
import { describeError, UserError } from "./errors";
import { outputsOf } from "./outputs";
import { proveEnvironment } from "./proof";
import { allHeld, progressLine, summary, table } from "./report";

const USAGE = `Usage: npm run verify -- <environment> [--json] [--outputs FILE] [--output FOLDER]

Proves a deployed environment as its applications use it: each AppRole logs in, obtains credentials, and tries in
PostgreSQL what they may and may not do; each credential is renewed and revoked. Nothing is left behind.

  --json            print the checks as JSON
  --outputs FILE    read the environment's outputs from a file (cdktf deploy --outputs-file, terraform output -json)
  --output FOLDER   folder that cdktf synthesized into (default: cdktf.out); Terraform is asked for the outputs there

Environment: VAULT_TOKEN with the rights of docs/rights/verify-policy.hcl; if they are not those of the outputs,
VAULT_ADDR and VAULT_NAMESPACE; VAULT_CACERT and PGSSLROOTCERT for certificate authorities of your own.

Exit code: 0 all checks held, 1 a check failed, 2 it could not be tried.`;

export async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  try {
    const { values, positionals } = parse(args);
    if (values.help === true) {
      console.log(USAGE);
      return 0;
    }
    const [environment, ...rest] = positionals;
    if (environment === undefined || rest.length > 0) {
      throw new UserError(
        environment === undefined ? "No environment is named." : "More than one environment is named.",
        USAGE,
      );
    }
    const context = contextFrom(env, "docs/rights/verify-policy.hcl");
    const outputs = await outputsOf(environment, values, env);
    const json = values.json === true;
    const checks = await proveEnvironment(outputs, context, (check) => {
      if (!json) console.log(progressLine(check));
    });
    if (json) console.log(JSON.stringify({ environment, held: allHeld(checks), checks }, null, 2));
    else console.log(`\n${table(checks)}\n\n${summary(checks)}`);
    return allHeld(checks) ? 0 : 1;
  } catch (error) {
    console.error(describeError(error));
    return 2;
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        outputs: { type: "string" },
        output: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UserError((error as Error).message, USAGE);
  }
}

if (require.main === module) {
  void main(process.argv.slice(2), process.env).then((code) => (process.exitCode = code));
}
