import { ExitCode } from "../exit-code";
import { changes } from "../first-change";
import { appRoleNamed } from "../named";
import { requirePlace, writeSecret } from "../secret-file";
import { secondsOf } from "../ttl";
import { issueWrapped, unwrap } from "../wrapped-secret-id";
import { open, type Command, type CommonArguments } from "./command";

interface SecretIdArguments extends CommonArguments {
  readonly approle: string;
  readonly "wrap-ttl": string;
  readonly "unwrap-to"?: string;
  readonly force: boolean;
}

export const secretId: Command<SecretIdArguments> = {
  usage: "secret-id <environment> <approle>",
  summary: "issues a SecretID, wrapped, and prints the wrapping token",
  description:
    "Standard output holds the wrapping token and nothing else: hand it to the application, which unwraps it once. With " +
    "--unwrap-to the SecretID is unwrapped here and written to a file with mode 600, and its path is printed instead.\n\n" +
    "VAULT_TOKEN needs the rights of docs/rights/operator-policy.hcl, or of verify-policy.hcl.",
  examples: [
    ["secret-id dev orders-dev-api", "a wrapping token that holds for two minutes"],
    ["secret-id dev orders-dev-api --unwrap-to /run/orders/secret-id", "the SecretID itself, into a file"],
  ],
  declare: (parser) =>
    parser
      .positional("approle", { type: "string", demandOption: true, describe: "name of the AppRole" })
      .option("wrap-ttl", {
        type: "string",
        default: "2m",
        requiresArg: true,
        describe: "how long the wrapping holds: 90s, 2m",
      })
      .option("unwrap-to", { type: "string", requiresArg: true, describe: "file to write the SecretID to" })
      .option("force", { type: "boolean", default: false, describe: "replace the file if it is there" }),

  async run(args, shell) {
    const { approle, json, "unwrap-to": file, force } = args;
    const wrapSeconds = secondsOf("--wrap-ttl", args["wrap-ttl"]);
    const { outputs, vault } = await open(args, shell);
    const path = appRoleNamed(outputs, approle).secret_id_path;
    if (file !== undefined) requirePlace(file, force);
    const issuing = `issuing a SecretID of ${approle}. Should nobody have got it, it is of no use to anyone.`;
    const wrapping = await changes(shell, issuing)(() => issueWrapped(vault, path, wrapSeconds));
    if (file === undefined) {
      const { token, ttl, creation_path } = wrapping;
      shell.print(json ? JSON.stringify({ approle, token, ttl, creation_path }, null, 2) : token);
      return ExitCode.ok;
    }
    writeSecret(file, await unwrap(vault, wrapping.token, path), force);
    shell.print(json ? JSON.stringify({ approle, file }, null, 2) : file);
    return ExitCode.ok;
  },
};
