import type { IConstruct } from "constructs";
import { descriptionOf, type DescribedPolicy, type DescribedRole, type Description } from "./described";
import { inLowerCase } from "../tokens";
import { known, knownText } from "./known";
import type {
  AccessReport,
  AppRoleAccess,
  BaseRoleAccess,
  LoginAccess,
  PolicyAccess,
  RoleAccess,
} from "./report";

/**
 * Tells who may do what, by the constructs of this package in a tree. Changes nothing, and needs no server.
 *
 * @param scopes such as a stack; of an environment with groups, its stack and those of the groups
 * @example expect(accessOf(stack)).toMatchSnapshot()
 */
export function accessOf(...scopes: readonly IConstruct[]): AccessReport {
  const found = scopes.flatMap((scope) => scope.node.findAll());
  return new Reader(found.filter((construct) => descriptionOf(construct) !== undefined)).report();
}

/** A part that constructs describe: more than one, where it is declared in one place and known by name in others. */
interface Part {
  readonly id: string;
  construct: IConstruct;
  description: Description;
}

class Reader {
  private readonly parts = new Map<string, Part>();
  private readonly ids = new Map<IConstruct, string>();

  constructor(constructs: readonly IConstruct[]) {
    constructs.forEach((construct) => this.meet(construct));
  }

  report(): AccessReport {
    // What is referred to may stand in another stack, and so is met only now.
    const all: AccessReport = {
      version: 1,
      appRoles: [],
      roles: [],
      policies: [],
      baseRoles: [],
      logins: [],
    };
    const report = all as { -readonly [K in keyof AccessReport]: AccessReport[K] };
    for (let size = -1; size !== this.parts.size;) {
      size = this.parts.size;
      report.appRoles = this.each("app-role", (id, _part, description): AppRoleAccess => {
        const { name, existing, loginPath, limits } = description;
        const reads = description.policies.map((policy) => this.readBy(policy));
        const policies = description.policies.filter((_policy, index) => reads[index] === undefined);
        return {
          ...{ id, name: knownText(name), existing, loginPath: knownText(loginPath) },
          ...(limits && { limits }),
          reads: [...new Set(reads.filter((role) => role !== undefined))],
          policies: [...new Set(policies.map((policy) => this.meet(policy)))],
        };
      });
      report.roles = this.each("role", (id, _part, description): RoleAccess => this.roleOf(id, description));
      report.baseRoles = this.each("base-role", (id, _part, { kind, ...role }): BaseRoleAccess => {
        void kind;
        return { id, ...role, name: knownText(role.name), schemas: role.schemas.map(knownText) };
      });
      report.logins = [
        ...this.each("login", (id, _part, { name, existing, baseRole, password }): LoginAccess => {
          const base = baseRole && { baseRole: this.meet(baseRole, "base-role") };
          const rest = { ownPassword: password, makesRoles: false, adminOf: [], connects: [] };
          return { id, name: knownText(name), existing, type: "login", ...base, ...rest };
        }),
        ...this.each("manager", (id, _part, { name, existing, adminOf, connects }): LoginAccess => {
          const lists = { adminOf: adminOf.map(knownText), connects: connects.map(knownText) };
          const rights = { ownPassword: !existing, makesRoles: true, ...lists };
          return { id, name: knownText(name), existing, type: "manager", ...rights };
        }),
      ];
    }
    const held = new Set(report.appRoles.flatMap(({ policies }) => policies));
    report.policies = this.each("policy", (id, part, { name, existing, rules }): PolicyAccess | undefined => {
      if (this.readBy(part.construct) !== undefined && !held.has(id)) return undefined;
      const ruled = rules.map(({ path, capabilities }) => ({
        path: knownText(path),
        capabilities: [...capabilities],
      }));
      return { id, name: knownText(name), existing, rules: ruled };
    });
    return all;
  }

  private roleOf(id: string, { kind, namespace, ...role }: DescribedRole): RoleAccess {
    void [kind, namespace];
    const { baseRole, login, ownSql = [], ...plain } = role;
    const { defaultTtl, maxTtl, rotationPeriod } = plain;
    return {
      id,
      ...plain,
      name: knownText(role.name),
      path: knownText(role.path),
      ...(defaultTtl !== undefined && { defaultTtl: known(defaultTtl) }),
      ...(maxTtl !== undefined && { maxTtl: known(maxTtl) }),
      ...(rotationPeriod !== undefined && { rotationPeriod: known(rotationPeriod) }),
      ...(baseRole && { baseRole: this.meet(baseRole, "base-role") }),
      ...(login && { login: this.meet(login, "login") }),
      ownSql,
    };
  }

  /** All parts of a kind, in the order met. */
  private each<K extends Description["kind"], T>(
    kind: K,
    make: (id: string, part: Part, description: Extract<Description, { kind: K }>) => T | undefined,
  ): T[] {
    return [...this.parts.values()]
      .filter(({ description }) => description.kind === kind)
      .map((part) => make(part.id, part, part.description as Extract<Description, { kind: K }>))
      .filter((made) => made !== undefined);
  }

  /** The role that a policy lets its holder read, and nothing else; undefined for a policy that says something else. */
  private readBy(policy: IConstruct): string | undefined {
    const description = descriptionOf(policy) as DescribedPolicy | undefined;
    if (description === undefined) return undefined;
    if (description.existing) {
      const role = policy.node.scope;
      const described = role && descriptionOf(role);
      const isRead =
        described?.kind === "role" && knownText(inLowerCase(described.path)) === knownText(description.name);
      return isRead && role !== undefined ? this.meet(role) : undefined;
    }
    const [rule, ...others] = description.rules;
    if (rule === undefined || others.length > 0) return undefined;
    if (rule.capabilities.length !== 1 || rule.capabilities[0] !== "read") return undefined;
    const parent = policy.node.scope;
    if (parent !== undefined && descriptionOf(parent)?.kind === "role") this.meet(parent);
    return [...this.parts.values()].find(
      ({ description: role }) =>
        role.kind === "role" && role.path === rule.path && role.namespace === description.namespace,
    )?.id;
  }

  /** The id of the part that a construct describes, which it becomes if there is none. */
  private meet(construct: IConstruct & { readonly name?: string }, kind?: "base-role" | "login"): string {
    const met = this.ids.get(construct);
    if (met !== undefined) return met;
    const description = descriptionOf(construct) ?? foreign(construct, kind);
    const wanted = idOf(description);
    const there = this.parts.get(wanted);
    const isAnother = there !== undefined && !there.description.existing && !description.existing;
    const id = isAnother ? `${wanted} (${construct.node.path})` : wanted;
    this.ids.set(construct, id);
    if (there === undefined || isAnother) this.parts.set(id, { id, construct, description });
    else if (!description.existing) Object.assign(there, { construct, description });
    return id;
  }
}

/** A construct that keeps an interface of this package and is not of it. */
function foreign(construct: IConstruct & { readonly name?: string }, kind = "policy"): Description {
  const name = construct.name ?? construct.node.path;
  if (kind === "base-role") return { kind, name, existing: true, level: "custom", schemas: [], grants: [] };
  if (kind === "login") return { kind, name, existing: true, password: false };
  return { kind: "policy", name, existing: true, rules: [] };
}

/** What tells parts of a kind apart, for people, too. */
function idOf(description: Description): string {
  switch (description.kind) {
    case "app-role":
      return `AppRole ${knownText(description.loginPath).replace(/^auth\/|\/login$/g, "")}/${knownText(description.name)}`;
    case "role":
      return `role ${knownText(description.path)}`;
    case "policy":
      return `policy ${knownText(description.name)}`;
    case "base-role":
      return `base role ${knownText(description.name)}`;
    case "login":
      return `login ${knownText(description.name)}`;
    case "manager":
      return `login ${knownText(description.name)}`;
  }
}
