import { TerraformElement } from "cdktf";
import type { Construct } from "constructs";

/** Takes out of a state what an earlier version of a stack declared at its address, and leaves it on the server. */
export class Forgotten extends TerraformElement {
  /**
   * @param scope of what was declared
   * @param id of what was declared
   * @param resourceType as Terraform calls it, such as `vault_policy`
   */
  constructor(
    scope: Construct,
    id: string,
    readonly resourceType: string,
  ) {
    super(scope, id, resourceType);
  }

  get address(): string {
    return `${this.resourceType}.${this.friendlyUniqueId}`;
  }

  override toTerraform(): unknown {
    return forgetting([this.address]);
  }
}

/** Has Terraform take addresses out of its state, and leave what they name on the server. */
export function forgetting(addresses: readonly string[]): unknown {
  return { removed: addresses.map((from) => ({ from, lifecycle: { destroy: false } })) };
}
