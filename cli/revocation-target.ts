import type { EnvironmentOutputs } from "../stacks/outputs";
import { endGroup } from "./end-group";
import { UserError } from "./errors";
import { UNTOLD, type Change } from "./first-change";
import type { Inventory } from "./inventory";
import { leasesPath, roleOfLease, type Lease } from "./leases";
import { appRoleNamed, readersOf, requireRole } from "./named";
import type { Progress } from "./progress";
import { revokeBelow, revokeLease, type FailedRevocation } from "./revoke-leases";
import { counted, listed } from "./text";
import { allReadersOf, undeclaredAppRoles } from "./undeclared-approles";
import type { VaultClient } from "./vault-client";

/** What a revocation is about: exactly one of these. */
export type Target =
  | { readonly kind: "lease"; readonly id: string }
  | { readonly kind: "role"; readonly name: string }
  | { readonly kind: "approle"; readonly name: string }
  | { readonly kind: "all" };

/** What it will end, as far as can be told before. */
export interface Scope {
  /** Ids of leases that will be gone for certain. */
  readonly certain: readonly string[];
  /** Leases of which some may go: those of roles that the AppRole shares with others. */
  readonly possible: readonly Lease[];
  readonly tokens: number;
  readonly secretIds: number;
  /** Roles of which credentials end. */
  readonly roles: readonly string[];
}

/** The target that the options name. @throws UserError unless it is exactly one */
export function targetOf(options: {
  readonly lease?: string;
  readonly role?: string;
  readonly approle?: string;
  readonly all?: boolean;
}): Target {
  const { lease, role, approle, all } = options;
  const targets: Target[] = [
    ...(lease === undefined ? [] : [{ kind: "lease" as const, id: lease }]),
    ...(role === undefined ? [] : [{ kind: "role" as const, name: role }]),
    ...(approle === undefined ? [] : [{ kind: "approle" as const, name: approle }]),
    ...(all === true ? [{ kind: "all" as const }] : []),
  ];
  const [target, ...others] = targets;
  if (target === undefined || others.length > 0) {
    throw new UserError(
      target === undefined ? "It is not said what to revoke." : "More than one thing is to be revoked.",
      "Give exactly one of --lease, --role, --approle and --all.",
    );
  }
  return target;
}

/** @throws UserError if the environment has no such lease, role or AppRole */
export function scopeOf(outputs: EnvironmentOutputs, inventory: Inventory, target: Target): Scope {
  const nothing = { possible: [], tokens: 0, secretIds: 0 };
  const every = [...inventory.leases, ...inventory.irrevocable];
  const below = (prefix: string) => every.map(({ id }) => id).filter((id) => id.startsWith(`${prefix}/`));
  switch (target.kind) {
    case "lease": {
      if (!every.some(({ id }) => id === target.id)) {
        throw new UserError(
          `The environment has no lease "${target.id}".`,
          `Its leases begin with ${outputs.vault.mount}/creds/; vault-postgres status --json lists them.`,
        );
      }
      return { ...nothing, certain: [target.id], roles: [roleOfLease(target.id)] };
    }
    case "role": {
      requireRole(
        outputs,
        target.name,
        every.map(({ id }) => roleOfLease(id)),
      );
      return { ...nothing, certain: below(leasesPath(outputs, target.name)), roles: [target.name] };
    }
    case "approle": {
      const dynamic = rolesRead(outputs, inventory, target.name).filter(
        (role) => outputs.roles[role] !== undefined,
      );
      const isShared = (role: string) => allReadersOf(outputs, inventory.tokens, role).length > 1;
      const own = dynamic.filter((role) => !isShared(role));
      const live = inventory.leases.filter(({ role }) => own.includes(role));
      // It cannot be told whose they were. They have been ended already, and wait for nothing but this.
      const givenUp = inventory.irrevocable.filter(({ id }) => dynamic.includes(roleOfLease(id)));
      return {
        certain: [...live, ...givenUp].map(({ id }) => id),
        possible: inventory.leases.filter(({ role }) => dynamic.includes(role) && isShared(role)),
        tokens: inventory.tokens.filter(({ approle }) => approle === target.name).length,
        secretIds: inventory.secretIds.get(target.name) ?? 0,
        roles: dynamic,
      };
    }
    case "all":
      return {
        ...nothing,
        certain: below(`${outputs.vault.mount}/creds`),
        roles: [...new Set([...Object.keys(outputs.roles), ...every.map(({ id }) => roleOfLease(id))])],
      };
  }
}

/** @throws UserError for an AppRole that is neither declared nor has tokens */
function rolesRead(outputs: EnvironmentOutputs, { tokens }: Inventory, approle: string): readonly string[] {
  const undeclared = undeclaredAppRoles(outputs, tokens).find(({ name }) => name === approle);
  return undeclared?.roles ?? appRoleNamed(outputs, approle).roles;
}

/** What a revocation has done, as far as Vault says at once. */
export interface CarriedOut {
  readonly tokens: number;
  readonly secretIds: number;
  /** Leases that Vault could not revoke. What it ends with a token it ends later, and one by one. */
  readonly failed: readonly FailedRevocation[];
}

/** Carries it out. Vault answers when it is done, but for the leases of tokens, which it ends one by one. */
export async function carryOut(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  target: Target,
  change: Change = UNTOLD,
  progress?: Progress,
): Promise<CarriedOut> {
  const { mount, approle_mount } = outputs.vault;
  const nothing = { tokens: 0, secretIds: 0 };
  const below = (path: string) => revokeBelow(vault, outputs, path, change, progress);
  switch (target.kind) {
    case "lease": {
      const failed = await revokeLease(vault, target.id, change);
      return { ...nothing, failed: failed === undefined ? [] : [failed] };
    }
    case "role":
      return { ...nothing, failed: await below(leasesPath(outputs, target.name)) };
    case "approle":
      return { ...(await endGroup(vault, { mount: approle_mount, name: target.name }, change)), failed: [] };
    case "all":
      return { ...nothing, failed: await below(`${mount}/creds`) };
  }
}

/** Says what will end, for people. */
export function announcement(outputs: EnvironmentOutputs, target: Target, scope: Scope): string {
  const credentials = counted(scope.certain.length, "credential");
  switch (target.kind) {
    case "lease":
      return `This ends the credential ${target.id}.`;
    case "role":
      return `This ends ${credentials} of ${target.name}. ${comeBack(readersOf(outputs, target.name))}`;
    case "all":
      return `This ends ${credentials} of ${outputs.vault.mount}. ${comeBack(Object.keys(outputs.approles))}`;
    case "approle": {
      const shared = [...new Set(scope.possible.map(({ role }) => role))];
      return [
        `This ends the group of ${target.name}: ${counted(scope.secretIds, "SecretID")}, ${counted(scope.tokens, "token")}`,
        ` and ${credentials}`,
        shared.length > 0
          ? `, and its part of ${scope.possible.length} of ${listed(shared)}, which others read too`
          : "",
        Object.hasOwn(outputs.approles, target.name)
          ? ". It cannot log in again until it gets a new SecretID."
          : ". The environment does not declare it.",
      ].join("");
    }
  }
}

function comeBack(readers: readonly string[]): string {
  if (readers.length === 0) return "No AppRole of the environment may read it.";
  return `${listed(readers)} may obtain new ones at once.`;
}
