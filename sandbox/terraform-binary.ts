import { UserError } from "../cli/errors";
import { findOnPath, isAtLeast, isExecutable, outputOf } from "./executable";

export interface TerraformBinary {
  readonly path: string;
  readonly version: string;
}

/** Write-only arguments and ephemeral variables, which keep secrets out of the state, came with it. */
const MINIMUM = "1.11.0";
const HOW_TO_INSTALL =
  `Install Terraform (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install), ${MINIMUM} ` +
  "or later, so that terraform or tofu is on the PATH, or set TERRAFORM_BINARY_NAME to its program.";

/** The Terraform or OpenTofu to use: what TERRAFORM_BINARY_NAME names, as for cdktf itself, else what is on the PATH. */
export async function findTerraform(env: NodeJS.ProcessEnv): Promise<TerraformBinary> {
  const named = env.TERRAFORM_BINARY_NAME;
  const names = named !== undefined && named !== "" ? [named] : ["terraform", "tofu"];
  const file = names
    .map((name) => (isExecutable(name) && /[/\\]/.test(name) ? name : findOnPath(name, env)))
    .find((found) => found !== undefined);
  if (file === undefined) {
    throw new UserError(
      `Neither a terraform nor a tofu was found (looked for: ${names.join(", ")}).`,
      HOW_TO_INSTALL,
    );
  }
  const version = await versionOf(file, env);
  if (version === undefined) {
    throw new UserError(`${file} does not tell its version as Terraform and OpenTofu do.`, HOW_TO_INSTALL);
  }
  if (!isAtLeast(version, MINIMUM)) {
    throw new UserError(`${file} is version ${version}, and ${MINIMUM} is the least.`, HOW_TO_INSTALL);
  }
  return { path: file, version };
}

async function versionOf(file: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    const text = await outputOf(file, ["version", "-json"], { ...env, CHECKPOINT_DISABLE: "1" });
    const parsed = JSON.parse(text.slice(text.indexOf("{"))) as { terraform_version?: string };
    return parsed.terraform_version;
  } catch {
    return undefined;
  }
}
