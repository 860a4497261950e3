import { TerraformResource, TerraformStack, type ITerraformDependable } from "cdktf";
import { show } from "../errors";
import { isUnresolved } from "../names";
import { providerSettings } from "../provider-settings";
import { providerOf } from "./server-names";
import type { IPostgresRole } from "./postgres-role";

/**
 * Sees at synthesis that what names a role works on the server that the role is declared on: on another, it would reach a role
 * of that name which is another's, or none. Of servers that only Terraform or its environment knows, nothing is said.
 *
 * @param by resource that names the role
 */
export function requireOneServer(by: ITerraformDependable, role: IPostgresRole): void {
  const { resource } = role;
  if (!TerraformResource.isTerraformResource(by) || !TerraformResource.isTerraformResource(resource)) return;
  by.node.addValidation({
    validate: () => {
      const [here, there] = [placeOf(by), placeOf(resource)];
      if (here === undefined || there === undefined || here === there) return [];
      return [
        `The role ${show(role.name)} is declared on the server ${there}, and ${show(by.node.path)} names it on ${here}, where ` +
          "that is another's role, or nobody's. Declare both with the provider of one server; a provider tells its server by host and port.",
      ];
    },
  });
}

function placeOf(resource: TerraformResource): string | undefined {
  const provider = resource.provider ?? providerOf(TerraformStack.of(resource));
  const { host, port = 5432 } = providerSettings(provider);
  if (host === undefined || isUnresolved(host) || isUnresolved(port) || host.includes("${")) return undefined;
  return `${host.toLowerCase()}:${port}`;
}
