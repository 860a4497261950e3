import { TerraformOutput } from "cdktf";
import type { Construct } from "constructs";
import { terraformName } from "./terraform-text";

/**
 * Declares the Terraform output of a construct for a text, which is no secret.
 *
 * @param name of the output; without one nothing is declared
 */
export function addTextOutput(
  scope: Construct,
  name: string | undefined,
  description: string,
  value: string,
): void {
  if (name === undefined) return;
  new TerraformOutput(scope, "Output", { description, value }).overrideLogicalId(
    terraformName("output", name),
  );
}
