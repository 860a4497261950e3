import { Fn, Lazy } from "cdktf";
import { vaultName } from "../names";
import { isUnresolved, withStandIns } from "../tokens";

/** The roles that a connection serves: those declared on it, which it learns of one by one, and some of elsewhere. */
export class AllowedRoles {
  private readonly names = new Set<string>();
  private readonly later?: string[];

  /** @param additional names, or patterns such as `reports-*`, of roles that are declared elsewhere */
  constructor(additional: readonly string[] = []) {
    // A list that only Terraform knows: its elements are joined with the others by Terraform.
    if (isUnresolved(additional)) this.later = [...additional];
    else additional.forEach((role) => this.names.add(checkAllowedRole(role)));
  }

  add(role: string): void {
    this.names.add(role);
  }

  /** All that are known by the time of synthesis, in order. */
  get list(): string[] {
    return Lazy.listValue({ produce: () => this.known() });
  }

  private known(): string[] {
    const names = [...this.names].sort();
    return this.later === undefined
      ? names
      : Fn.sort(Fn.distinct(Fn.concat([names, this.later]) as string[]));
  }
}

function checkAllowedRole(role: string): string {
  if (/^[A-Za-z0-9_.-]*\*$/.test(withStandIns(role))) return role;
  return vaultName("allowed role", role);
}
