import type { TerraformResource } from "cdktf";

/**
 * Has the plan refuse another path for a mount that stands. The provider would move it, after everything that was configured
 * on it has been deleted: leases that are alive then keep the engine from being moved, and can be revoked no more; RoleIDs,
 * SecretIDs and values are gone; and a token may lack the right to move mounts, which nobody notices before.
 *
 * The resource's id is the path at which the mount stands. Of a new one, or one that is made anew, nobody knows it before.
 *
 * @param refusal what is wrong, in which `${self.id}` is the path at which it stands and `${self.path}` that of the code
 * @param remedy how to come to another path
 */
export function keepPath(resource: TerraformResource, refusal: string, remedy: string): void {
  // An override, so that it stays beside a lifecycle that a user gives the resource.
  resource.addOverride("lifecycle.postcondition", [
    {
      condition: '${trim(self.id, "/") == trim(self.path, "/")}',
      error_message: `${refusal}: nothing is changed, for what is declared on it would be deleted first. ${remedy}`,
    },
  ]);
}
