import { DataVaultNamespace } from "@cdktf/provider-vault/lib/data-vault-namespace";
import type { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import { DataResource } from "cdktf";
import { Construct } from "constructs";
import { ConfigurationError, show } from "./errors";

/** Options of {@link StateOwner}. */
export interface StateOwnerProps {
  /** What the state is of, such as `orders/dev`: letters, digits, `_`, `-`, `.` and `/`. It never changes. */
  readonly owner: string;
  /**
   * Provider whose namespace of Vault the state stays with: the one that its configuration, the shell's `VAULT_NAMESPACE` or its token
   * names. With another one later the plan fails as a whole too: Terraform finds nothing there, makes all a second time, and
   * forgets what goes on in the former.
   *
   * @default - any namespace
   */
  readonly vaultProvider?: VaultProvider;
}

/**
 * Writes into a Terraform state whose it is, so that no other stack ever deploys with it. Terraform destroys what a state
 * holds and a stack does not: two applications with one key in a bucket would destroy each other, and a renamed one itself.
 *
 * A plan fails as a whole where the state has another owner. A state without any becomes the stack's. `terraform destroy`
 * asks for no owner; `vault-postgres destroy` does.
 */
export class StateOwner extends Construct {
  /** Terraform's resource. It is on no server. */
  readonly resource: DataResource;

  /** @throws ConfigurationError for an owner that is empty or has other characters */
  constructor(scope: Construct, id: string, { owner, vaultProvider }: StateOwnerProps) {
    super(scope, id);
    if (typeof owner !== "string" || !/^[A-Za-z0-9_./-]+$/.test(owner)) {
      throw new ConfigurationError(
        `The state's owner is ${show(owner)}.`,
        'Use letters, digits, "_", "-", "." and "/", such as "orders/dev".',
      );
    }
    this.resource = written(
      new DataResource(this, "Resource", { input: { owner } }),
      `owner == "${owner}"`,
      `The Terraform state belongs to \${self.output.owner}, and this is ${owner}: nothing is changed, for it would ` +
        "destroy what is deployed there. Where two stacks keep their state in one place, give each a key, schema or " +
        'folder of its own. Where an application or environment was renamed, see "Renaming" in docs/environment.md.',
    );
    if (vaultProvider !== undefined) {
      const current = new DataVaultNamespace(this, "CurrentNamespace", { provider: vaultProvider });
      const namespace = `trim(${current.fqn}.id, "/")`;
      written(
        new DataResource(this, "Namespace", { input: { namespace: `\${${namespace}}` } }),
        `namespace == ${namespace}`,
        `What the Terraform state holds is in the namespace "\${self.output.namespace}" of Vault, and Terraform's provider is in ` +
          `"\${${namespace}}", by its configuration, VAULT_NAMESPACE or its token: nothing is changed, for all would be made a ` +
          'second time, and what goes on in the former forgotten. See "Renaming" in docs/environment.md.',
      );
    }
  }
}

/** What was written first stays, and has to be what is declared. */
function written(resource: DataResource, condition: string, errorMessage: string): DataResource {
  resource.lifecycle = {
    ignoreChanges: ["input"],
    postcondition: [{ condition: `\${self.output.${condition}}`, errorMessage }],
  };
  return resource;
}
