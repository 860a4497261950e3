import type { EnvironmentOutputs } from "../stacks/outputs";
import { Failure, Skip, type CheckList } from "./checks";
import { engineRoles, isForbidden } from "./engine-roles";
import { roleDifferences } from "./role-differences";
import type { VaultClient } from "./vault-client";

/** Checks that the engine has each role as it was declared, and all of it: what is missing shows only once it is needed. */
export async function checkRoles(
  outputs: EnvironmentOutputs,
  operator: VaultClient,
  list: CheckList,
): Promise<void> {
  for (const [name, declared] of Object.entries(outputs.roles)) {
    await list.expect("the engine has it as declared", `role ${name}`, async () => {
      const roles = await engineRoles(operator, outputs.vault.mount, [name]).catch((error: unknown) => {
        if (!isForbidden(error)) throw error;
        throw new Skip("VAULT_TOKEN may not read it: see docs/rights/verify-policy.hcl");
      });
      const role = roles.get(name);
      if (role === undefined) throw new Failure("the engine does not have this role");
      const differences = roleDifferences(outputs, declared, role);
      if (differences.length > 0) throw new Failure(differences.join("; "));
      return declared.statements === undefined ? "TTLs and connection" : "TTLs, connection and SQL";
    });
  }
}
