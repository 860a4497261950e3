import { isIP } from "node:net";
import type { AppRoleSettings, EnvironmentOutputs } from "../stacks/outputs";
import { statementsDigest } from "../stacks/statements-digest";
import { concurrently } from "./concurrently";
import { isForbidden, isNotThere, namesBelow } from "./engine-roles";
import { readPolicies, type UndeclaredAppRole } from "./undeclared-approles";
import { AnswerFields, type VaultClient } from "./vault-client";

/** What Vault has of the environment's AppRoles and of the policies of their tokens. */
export interface AppRoleSurvey {
  /** By name; without those that are not there, or that the token may not read. */
  readonly approles: ReadonlyMap<string, FoundAppRole>;
  /** By name: the digest of a policy, undefined for one that is not there. */
  readonly policies: ReadonlyMap<string, string | undefined>;
  /** Names of AppRoles that have tokens, and are neither declared nor in the auth method. */
  readonly gone: readonly string[];
  /** AppRoles that are not declared, and whose tokens get a policy of the environment's. */
  readonly foreign: readonly ForeignAppRole[];
  /** Whether the token may list the AppRoles. */
  readonly areListed: boolean;
  /** Names of AppRoles and of policies that the token may not read. */
  readonly forbidden: { readonly approles: readonly string[]; readonly policies: readonly string[] };
}

/** An AppRole as Vault has it. */
export interface FoundAppRole {
  readonly roleId: string;
  readonly settings: Required<AppRoleSettings>;
}

/** An AppRole that another stack declares, or somebody has made by hand, and that may do what the environment allows its own. */
export interface ForeignAppRole {
  readonly name: string;
  /** Names of its policies that are the environment's. */
  readonly policies: readonly string[];
}

/**
 * Looks at the declared AppRoles, at those that are there besides, whether those that have tokens are still there, and at each
 * policy that is declared, or that one of them is declared with.
 */
export async function surveyAppRoles(
  vault: VaultClient,
  outputs: EnvironmentOutputs,
  undeclared: readonly UndeclaredAppRole[],
): Promise<AppRoleSurvey> {
  const mount = outputs.vault.approle_mount;
  const approles = await askEach(Object.keys(outputs.approles), (name) => appRole(vault, mount, name));
  const listed = await appRoleNames(vault, mount);
  const besides = [...(listed ?? []), ...undeclared.map(({ name }) => name)].filter(
    (name) => !Object.hasOwn(outputs.approles, name),
  );
  const others = await askEach([...new Set(besides)].sort(), (name) => policiesOfTokens(vault, mount, name));
  const policies = await askEach(policiesOf(outputs), (name) => policyDigest(vault, name));
  const isThere = (entry: readonly [string, FoundAppRole | undefined]): entry is [string, FoundAppRole] =>
    entry[1] !== undefined;
  return {
    approles: new Map(approles.found.filter(isThere)),
    policies: new Map(policies.found),
    gone: others.found.filter(([, role]) => role === undefined).map(([name]) => name),
    foreign: others.found
      .map(([name, held = []]) => ({ name, policies: held.filter((policy) => isOwn(outputs, policy)) }))
      .filter((approle) => approle.policies.length > 0),
    areListed: listed !== undefined,
    forbidden: {
      approles: [...approles.forbidden, ...others.forbidden],
      policies: policies.forbidden,
    },
  };
}

/** Names of the policies that are declared, or that an AppRole is declared with, each once. */
export function policiesOf({ approles, policies = {} }: EnvironmentOutputs): string[] {
  const ofTokens = Object.values(approles).flatMap(({ settings }) => settings?.token_policies ?? []);
  return [...new Set([...Object.keys(policies), ...ofTokens])].sort();
}

async function askEach<T>(names: readonly string[], ask: (name: string) => Promise<T | undefined>) {
  const forbidden: string[] = [];
  const answers = await concurrently(names, async (name) => {
    try {
      return [[name, await ask(name)] as const];
    } catch (error) {
      if (isNotThere(error)) return [[name, undefined] as const];
      if (!isForbidden(error)) throw error;
      forbidden.push(name);
      return [];
    }
  });
  return { found: answers.flat(), forbidden: forbidden.sort() };
}

/** Undefined where the token may not list them; none where there is no auth method. */
async function appRoleNames(vault: VaultClient, mount: string): Promise<string[] | undefined> {
  try {
    return await namesBelow(vault, `auth/${mount}/role`);
  } catch (error) {
    if (isNotThere(error)) return [];
    throw error;
  }
}

async function policiesOfTokens(vault: VaultClient, mount: string, name: string): Promise<readonly string[]> {
  const path = `auth/${mount}/role/${name}`;
  return new AnswerFields(`GET ${path}`, (await vault.read(path)).data).texts("token_policies");
}

/**
 * Whether the environment declares a policy, or it is named like a path of the environment's alone: one that another stack has
 * for a reader of its own is that stack's.
 */
function isOwn(outputs: EnvironmentOutputs, policy: string): boolean {
  if (Object.hasOwn(outputs.policies ?? {}, policy)) return true;
  return readPolicies(outputs).some(({ name }) => name === policy);
}

async function appRole(vault: VaultClient, mount: string, name: string): Promise<FoundAppRole> {
  const path = `auth/${mount}/role/${name}`;
  const role = new AnswerFields(`GET ${path}`, (await vault.read(path)).data);
  const { data } = await vault.read(`${path}/role-id`);
  return {
    roleId: new AnswerFields(`GET ${path}/role-id`, data).text("role_id"),
    settings: {
      bind_secret_id: role.flag("bind_secret_id"),
      secret_id_ttl: role.number("secret_id_ttl"),
      secret_id_num_uses: role.number("secret_id_num_uses"),
      secret_id_bound_cidrs: role.texts("secret_id_bound_cidrs"),
      token_ttl: role.number("token_ttl"),
      token_max_ttl: role.number("token_max_ttl"),
      token_period: role.number("token_period"),
      token_explicit_max_ttl: role.number("token_explicit_max_ttl"),
      token_num_uses: role.number("token_num_uses"),
      token_bound_cidrs: role.texts("token_bound_cidrs"),
      token_type: role.text("token_type"),
      token_no_default_policy: role.flag("token_no_default_policy"),
      token_policies: role.texts("token_policies"),
    },
  };
}

async function policyDigest(vault: VaultClient, name: string): Promise<string> {
  const path = `sys/policies/acl/${name}`;
  const { data } = await vault.read(path);
  return statementsDigest([new AnswerFields(`GET ${path}`, data).optionalText("policy")]);
}

const NETWORKS = ["secret_id_bound_cidrs", "token_bound_cidrs"];

/** In what an AppRole's settings are not as they were declared, such as `token_ttl is 60, not 3600`. */
export function settingDifferences(declared: AppRoleSettings, found: Required<AppRoleSettings>): string[] {
  const byName = Object.entries(declared).sort(([one], [other]) => (one < other ? -1 : 1));
  return byName.flatMap(([name, wanted]: [string, Setting]) => {
    const is = (found as Readonly<Record<string, Setting | undefined>>)[name];
    if (is === undefined) return [];
    const [one, other] = [is, wanted].map((value) => shown(value, NETWORKS.includes(name)));
    return one === other ? [] : [`${name} is ${one}, not ${other}`];
  });
}

type Setting = AppRoleSettings[keyof AppRoleSettings] & {};

function shown(value: Setting, isNetwork: boolean): string {
  if (typeof value !== "object") return String(value);
  const all = [...new Set(isNetwork ? value.map(network) : value)].sort();
  return all.length === 0 ? "none" : all.join(" ");
}

/** A network in one of the spellings that servers and people have for it: a single address has no prefix length. */
function network(block: string): string {
  const [address = "", bits] = block.toLowerCase().split("/");
  const spelled = isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
  const isSingle = bits === undefined || bits === (isIP(address) === 6 ? "128" : "32");
  return isSingle ? spelled : `${spelled}/${bits}`;
}
