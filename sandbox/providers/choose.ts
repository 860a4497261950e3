// Where the provider plugins come from: Terraform installs them as ever, and only where it cannot reach the
// registry do the stand-ins take their place.
import { join } from "node:path";
import { UserError } from "../../cli/errors";
import { installPlugins } from "./installed";
import { installStandIns } from "./install";

const MODES = ["auto", "installed", "standin"] as const;
export type ProviderMode = (typeof MODES)[number];

export interface ProviderOptions {
  /** An existing folder of the caller's, for what is made here; it has to stay as long as Terraform runs. */
  readonly directory: string;
  /** Path of Terraform or OpenTofu. */
  readonly terraform: string;
  /** @default - SANDBOX_PROVIDERS, else `auto` */
  readonly mode?: ProviderMode;
  /** Ends the installation, which is then rejected. */
  readonly signal?: AbortSignal;
}

export interface ChosenProviders {
  readonly kind: "installed" | "standin";
  /** One line for the user. */
  readonly message: string;
  /** To be added to the environment of every Terraform command, those of cdktf included. */
  readonly env: Record<string, string>;
}

/** @throws UserError for a mode that there is not, and for plugins that Terraform refuses to install */
export async function chooseProviders(options: ProviderOptions): Promise<ChosenProviders> {
  const mode = options.mode ?? providerMode(process.env);
  if (mode === "standin") {
    return standIns(options, "as asked for");
  }
  const attempt = await installPlugins(
    options.terraform,
    join(options.directory, "plugins"),
    process.env,
    options.signal,
  );
  options.signal?.throwIfAborted();
  if (attempt.outcome === "installed") {
    return { kind: "installed", message: `Provider plugins: ${attempt.description}`, env: attempt.env };
  }
  if (mode === "auto" && attempt.outcome === "unreachable") {
    return standIns(options, attempt.reason);
  }
  const without = "Or use the sandbox's stand-ins for the plugins: SANDBOX_PROVIDERS=standin";
  throw new UserError(`Terraform cannot install the provider plugins:\n${attempt.output}`, without);
}

/** @throws UserError for a value that is no mode */
export function providerMode(environment: NodeJS.ProcessEnv): ProviderMode {
  const value = environment.SANDBOX_PROVIDERS;
  if (value === undefined || value === "") {
    return "auto";
  }
  const mode = MODES.find((each) => each === value);
  if (mode === undefined) {
    throw new UserError(
      `SANDBOX_PROVIDERS is ${JSON.stringify(value)}`,
      `Set it to one of ${MODES.join(", ")}, or not at all`,
    );
  }
  return mode;
}

async function standIns(options: ProviderOptions, reason: string): Promise<ChosenProviders> {
  const { cliConfigFile } = await installStandIns(join(options.directory, "standins"));
  return {
    kind: "standin",
    message: `Provider plugins: stand-ins (${reason})`,
    env: { TF_CLI_CONFIG_FILE: cliConfigFile },
  };
}
