import type { EnvironmentOutputs } from "../stacks/outputs";
import { endGroup } from "./end-group";
import { UserError } from "./errors";
import { UNTOLD, type Change } from "./first-change";
import { leasesPath, roleOfLease } from "./leases";
import { appRoleNamed, readersOf, requireRole } from "./named";
import type { Progress } from "./progress";
import type { GroupLook, RevocationLook } from "./revocation-look";
import { revokeBelow, revokeLease, type FailedRevocation } from "./revoke-leases";
import { counted, listed } from "./text";
import { rolesOpenedBy } from "./undeclared-approles";
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
  /**
   * Ids of leases of which some may go: those of the roles that the AppRole is known to read. Vault does not tell whose they
   * are, and others may read the same by ways that nobody sees here: what ends is what ends with the tokens.
   */
  readonly possible: readonly string[];
  readonly tokens: number;
  readonly secretIds: number;
  readonly hasBatchTokens: boolean;
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
export function scopeOf(outputs: EnvironmentOutputs, before: RevocationLook, target: Target): Scope {
  const nothing = { possible: [], tokens: 0, secretIds: 0, hasBatchTokens: false };
  const every = before.leaseIds;
  const below = (prefix: string) => every.filter((id) => id.startsWith(`${prefix}/`));
  switch (target.kind) {
    case "lease": {
      if (!every.includes(target.id)) {
        throw new UserError(
          `The environment has no lease "${target.id}".`,
          `Its leases begin with ${outputs.vault.mount}/creds/; vault-postgres status --json lists them.`,
        );
      }
      return { ...nothing, certain: [target.id], roles: [roleOfLease(target.id)] };
    }
    case "role": {
      requireRole(outputs, target.name, every.map(roleOfLease));
      return { ...nothing, certain: below(leasesPath(outputs, target.name)), roles: [target.name] };
    }
    case "approle": {
      const { tokens = [], secretIds = 0, hasBatchTokens = false } = before.group ?? {};
      const dynamic = rolesRead(outputs, before.group, target.name).filter(
        (role) => outputs.roles[role] !== undefined,
      );
      const givenUp = new Set(before.irrevocable.map(({ id }) => id));
      const ofRoles = every.filter((id) => dynamic.includes(roleOfLease(id)));
      return {
        // It cannot be told whose they were. They have been ended already, and wait for nothing but this.
        certain: ofRoles.filter((id) => givenUp.has(id)),
        possible: ofRoles.filter((id) => !givenUp.has(id)),
        tokens: tokens.filter(({ approle }) => approle === target.name).length,
        ...{ secretIds, hasBatchTokens, roles: dynamic },
      };
    }
    case "all":
      return {
        ...nothing,
        certain: below(`${outputs.vault.mount}/creds`),
        roles: [...new Set([...Object.keys(outputs.roles), ...every.map(roleOfLease)])],
      };
  }
}

/**
 * Roles that an AppRole is declared to read, and that its policies, or those of its tokens, open.
 *
 * @throws UserError for one that is neither declared nor there, and has no tokens
 */
function rolesRead(outputs: EnvironmentOutputs, group: GroupLook | undefined, approle: string): string[] {
  const own = (group?.tokens ?? []).filter((token) => token.approle === approle);
  const isThere = group?.policies !== undefined || own.length > 0;
  const isDeclared = Object.hasOwn(outputs.approles, approle);
  const declared = isThere && !isDeclared ? [] : appRoleNamed(outputs, approle).roles;
  const policies = [...(group?.policies ?? []), ...own.flatMap((token) => token.policies)];
  return [...new Set([...declared, ...rolesOpenedBy(outputs, new Set(policies))])];
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
  group?: GroupLook,
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
      return {
        ...(await endGroup(vault, { mount: approle_mount, name: target.name }, change, group?.look)),
        failed: [],
      };
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
      const ofRoles = [...new Set(scope.possible.map(roleOfLease))];
      return [
        `This ends the group of ${target.name}: ${counted(scope.secretIds, "SecretID")}, ${counted(scope.tokens, "token")}, `,
        "and with the tokens their credentials",
        ofRoles.length > 0 ? `, which are among ${scope.possible.length} of ${listed(ofRoles)}` : "",
        scope.certain.length > 0
          ? `; and ${credentials} that Vault has given up to revoke, whoever had them`
          : "",
        Object.hasOwn(outputs.approles, target.name)
          ? ". It cannot log in again until it gets a new SecretID."
          : ". The environment does not declare it.",
        scope.roles.length === 0 ? " Its policies do not tell what it reads." : "",
        ofRoles.length > 0
          ? "\nA credential that does not end with the tokens may be somebody else's: it goes on, and is named."
          : "",
        scope.hasBatchTokens
          ? `\n${target.name} has batch tokens, which cannot be revoked: their credentials go on, with the tokens.`
          : "",
      ].join("");
    }
  }
}

function comeBack(readers: readonly string[]): string {
  if (readers.length === 0) return "No AppRole of the environment may read it.";
  return `${listed(readers)} may obtain new ones at once, as may whoever else reads them.`;
}
