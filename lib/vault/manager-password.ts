import { Fn, Op, TerraformResource, TerraformStack, Token } from "cdktf";
import { Role } from "@cdktf/provider-postgresql/lib/role";
import type { Construct } from "constructs";
import type { IManagerRole } from "../postgres/manager-role";
import type { WriteOnlySecret } from "../write-only-secret";

/**
 * The number that goes with the manager's password, and has the provider send it to the engine whenever it changes: the
 * secret's version, to which a number is added that stands for the time at which the stack made the manager. One that was
 * dropped by hand is made anew with its first password, of which the engine has to be told, since it may have set another; at
 * any other time that other is not to be overwritten.
 *
 * The manager keeps the time as the version of its own password. What was deployed before, or imported, has no time there, and
 * adds nothing.
 */
export function managerPasswordVersion(
  scope: Construct,
  { resource }: IManagerRole,
  { version }: WriteOnlySecret,
): number {
  if (!TerraformResource.isTerraformResource(resource)) return version;
  if (resource.terraformResourceType !== Role.tfResourceType) return version;
  if (resource.cdktfStack !== TerraformStack.of(scope)) return version;
  const made = resource.interpolationForAttribute("password_wo_version").toString();
  // Fails for what is no time; 28 bits, for a number of the provider's may have no more than 31.
  const time: unknown = Fn.parseint(Fn.substr(Fn.sha256(Fn.timeadd(made, "0s")), 0, 7), 16);
  return Token.asNumber(Op.add(Fn.try([time, 0]), version));
}
