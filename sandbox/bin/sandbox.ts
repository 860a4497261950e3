import { describeError } from "../../cli/errors";
import { writeEnvFile } from "../env-file";
import { isInterrupted, stopOnSignals } from "../interrupt";
import { startSandbox } from "../sandbox";

/** `npm run sandbox`: the servers, kept running till Ctrl-C. */
async function main(): Promise<void> {
  const sandbox = await startSandbox({ onProgress: (line) => console.log(line) });
  const client = sandbox.vault.product === "OpenBao" ? "bao" : "vault";
  // Output beside the servers: the local state has to go when they go.
  const output = "--output $SANDBOX_DIRECTORY/cdktf.out";
  console.log(`
Running until Ctrl-C, which removes everything. In another shell, in this folder:

  source ${writeEnvFile(sandbox)}

  npx cdktf deploy local --auto-approve --skip-provider-lock ${output}
  VAULT_TOKEN=$SANDBOX_VERIFIER_TOKEN npm run verify -- local ${output}

As operator:

  VAULT_TOKEN=$SANDBOX_OPERATOR_TOKEN PGUSER=$SANDBOX_OPERATOR PGPASSWORD=$SANDBOX_OPERATOR_PASSWORD \\
    npx vault-postgres status local ${output}

As administrator, with the clients of your own:

  VAULT_TOKEN=$SANDBOX_ROOT_TOKEN ${client} read orders-local/database/creds/reader
  PGUSER=$SANDBOX_SUPERUSER PGPASSWORD=$SANDBOX_SUPERUSER_PASSWORD psql orders_local

To take it down again, credentials in use included:

  npm run destroy -- local --auto-approve --skip-provider-lock ${output}
`);
  // Servers and watchdog do not keep this process alive.
  setInterval(() => undefined, 60_000);
}

stopOnSignals(console.log);
main().catch((error: unknown) => {
  if (isInterrupted()) return;
  console.error(describeError(error));
  process.exitCode = 1;
});
