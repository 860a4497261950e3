import { Lazy } from "cdktf";
import { isUnresolved, vaultName } from "../names";

/** The roles that a connection serves: those declared on it, which it learns of one by one, and some of elsewhere. */
export class AllowedRoles {
  private readonly names = new Set<string>();

  /** @param additional names, or patterns such as `reports-*`, of roles that are declared elsewhere */
  constructor(additional: readonly string[] = []) {
    additional.forEach((role) => this.names.add(checkAllowedRole(role)));
  }

  add(role: string): void {
    this.names.add(role);
  }

  /** All that are known by the time of synthesis, in order. */
  get list(): string[] {
    return Lazy.listValue({ produce: () => [...this.names].sort() });
  }
}

function checkAllowedRole(role: string): string {
  if (isUnresolved(role) || /^[A-Za-z0-9_.-]*\*$/.test(role)) return role;
  return vaultName("allowed role", role);
}
