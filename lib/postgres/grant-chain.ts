import type { ITerraformDependable, TerraformResource } from "cdktf";
import { dependOn } from "../dependencies";

/**
 * Puts everything that changes the access lists of one database in a row. PostgreSQL refuses two sessions that change one
 * list at a time with "tuple concurrently updated", and the provider locks roles and databases, not schemas
 * (terraform-provider-postgresql#178). Grants on the database are in the row too: of a hundred without an order, the provider's own
 * locks ended three of seven deployments with "deadlock detected" (1.26.0).
 */
export class GrantChain {
  private last?: ITerraformDependable;

  /** @param first what the chain starts after; absent for a database that exists already */
  constructor(first?: ITerraformDependable) {
    this.last = first;
  }

  /** Appends a resource, which also waits for what it needs itself. */
  add(resource: TerraformResource, ...needs: readonly (ITerraformDependable | undefined)[]): void {
    dependOn(resource, ...needs, this.last);
    this.last = resource;
  }
}
