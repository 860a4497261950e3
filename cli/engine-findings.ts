import { escapeIdentifier } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { statementsDigest } from "../stacks/statements-digest";
import { appRoleFindings, shutAppRoles } from "./approle-findings";
import { connectionFindings } from "./connection-findings";
import { engineLoginFindings } from "./engine-login";
import type { EngineStaticRole } from "./engine-roles";
import type { Finding } from "./finding";
import { foreignMemberFindings } from "./foreign-members";
import type { Inventory } from "./inventory";
import { roleOfLease } from "./leases";
import { largeSettingFindings } from "./large-settings";
import { loginSettingFindings } from "./login-settings";
import { roleFindings } from "./role-findings";
import { groupPasswordFindings } from "./role-passwords";
import { credentialDifferences, credentialRemedy, roleDifferences } from "./role-differences";
import { schemaRightFindings } from "./schema-rights";
import { servedBy } from "./serves";
import type { StaticLogin } from "./static-logins";
import type { Survey } from "./survey";
import { counted, listed } from "./text";

/** Where the engine's roles, its static roles and the AppRoles are not as they were declared. */
export function engineFindings(
  environment: string,
  outputs: EnvironmentOutputs,
  inventory: Inventory,
  found: Survey,
  now: number,
): Finding[] {
  const deploy = `Deploy again: cdktf deploy ${environment}`;
  return [
    ...undeclared(environment, outputs, inventory, found),
    ...missingOrChanged(outputs, found, deploy),
    ...(found.postgres?.missingBaseRoles ?? []).map((name): Finding => ({
      kind: "missing-base-role",
      subject: name,
      detail: "PostgreSQL does not have it: credentials of its role cannot be issued",
      remedy: deploy,
    })),
    ...(found.postgres ? engineLoginFindings(outputs, found.postgres.engineLogin, deploy) : []),
    ...(found.postgres
      ? roleFindings(outputs, found.postgres.roles, inventory.postgres?.users ?? [], found.roles, deploy)
      : []),
    ...(found.postgres
      ? [
          ...foreignMemberFindings(found.postgres.foreignMembers),
          ...schemaRightFindings(outputs, found.postgres.schemaRights ?? []),
          ...loginSettingFindings(outputs, found.postgres.loginSettings),
          ...largeSettingFindings(outputs, environment, found.postgres.settings),
          ...groupPasswordFindings(found.postgres.groupsWithPassword ?? []),
        ]
      : []),
    ...connectionFindings(outputs, inventory, deploy),
    ...missingStaticRoles(outputs, inventory, deploy),
    ...overdueRotations(environment, outputs, inventory, now),
    ...staticLoginFindings(environment, outputs, inventory, found),
    ...sharedLogins(inventory),
    ...shutAppRoles(outputs, inventory, found.lockedAppRoles, deploy),
    ...appRoleFindings(environment, outputs, inventory, found.appRoles, deploy),
  ];
}

/** Roles that have leases, or are on the engine, and that neither this environment declares nor another stack uses. */
function undeclared(
  environment: string,
  outputs: EnvironmentOutputs,
  { leases, irrevocable, connections }: Inventory,
  { roles, roleNames }: Survey,
): Finding[] {
  if (roleNames === undefined) return [];
  const ofLeases = [...leases, ...irrevocable].map(({ id }) => roleOfLease(id));
  const isAllowed = (name: string) => {
    const connection = connections.find((one) => one.name === roles.get(name)?.connection);
    return connection !== undefined && servedBy(connection.allowedRoles, name) !== undefined;
  };
  return [...new Set([...roleNames, ...ofLeases])]
    .filter((name) => outputs.roles[name] === undefined && !isAllowed(name))
    .map((name): Finding => {
      const count = ofLeases.filter((role) => role === name).length;
      const place = roles.has(name)
        ? "it is on the engine, and no connection issues for it"
        : "it is not on the engine";
      return {
        kind: "undeclared-role",
        subject: name,
        detail: `the role ${name} is not declared any more: ${place}, ${counted(count, "lease")}`,
        ...(count > 0 && {
          remedy: `To end its credentials: vault-postgres revoke ${environment} --role ${name}`,
        }),
      };
    });
}

function missingOrChanged(
  outputs: EnvironmentOutputs,
  { roles, roleNames }: Survey,
  deploy: string,
): Finding[] {
  if (roleNames === undefined) return [];
  return Object.entries(outputs.roles).flatMap(([name, declared]): Finding[] => {
    const role = roles.get(name);
    if (role === undefined) {
      const detail = "the engine does not have this role: it issues no credential of it";
      return [{ kind: "missing-role", subject: name, detail, remedy: deploy }];
    }
    const differences = roleDifferences(outputs, declared, role);
    if (differences.length === 0) return [];
    const healing = credentialRemedy(differences, `${outputs.vault.mount}/roles/${name}`);
    const remedy =
      healing === undefined
        ? `${deploy}. If the plan is empty, the state agrees with the engine and the definition with neither.`
        : `${deploy}. ${healing} Credentials that are alive stay, and can be revoked.`;
    return [
      {
        kind: "changed-role",
        subject: name,
        detail: `not as it was declared: ${differences.join("; ")}`,
        remedy: differences.some((text) => text.includes("SQL"))
          ? `${remedy} Credentials that are alive are revoked with the SQL that the engine has.`
          : remedy,
      },
    ];
  });
}

function missingStaticRoles(
  { vault, static_roles = {} }: EnvironmentOutputs,
  { staticRoles }: Inventory,
  deploy: string,
): Finding[] {
  return Object.entries(static_roles).flatMap(([name, declared]): Finding[] => {
    const role = staticRoles.get(name);
    if (role === undefined) {
      const detail = "the engine does not have this static role: nobody can read its password";
      return [{ kind: "missing-role", subject: name, detail, remedy: deploy }];
    }
    const { username, rotation_period, statements } = declared;
    const differences = [
      ...(role.username === username
        ? []
        : [`the engine keeps the password of ${role.username}, not of ${username}`]),
      ...(role.connection === vault.connection
        ? []
        : [`it is on the connection ${role.connection}, not ${vault.connection}`]),
      ...(role.rotationPeriod === undefined || role.rotationPeriod === rotation_period
        ? []
        : [`its rotation period is ${role.rotationPeriod} s, not ${rotation_period} s`]),
      ...(statements?.rotation === undefined || statements.rotation === statementsDigest(role.rotation)
        ? []
        : ["its rotation SQL is another"]),
      ...credentialDifferences(declared.credential, role.credential),
    ];
    if (differences.length === 0) return [];
    const healing = credentialRemedy(differences, `${vault.mount}/static-roles/${name}`);
    const remedy =
      healing === undefined ? deploy : `${deploy}. ${healing} The login has a new password then.`;
    return [{ kind: "changed-role", subject: name, detail: differences.join("; "), remedy }];
  });
}

/** Longer than the engine takes to rotate, and to try again. */
const OVERDUE_MS = 60_000;

/** An engine that cannot set a password tries on, and says so in its log only. */
function overdueRotations(
  environment: string,
  { static_roles = {} }: EnvironmentOutputs,
  { staticRoles }: Inventory,
  now: number,
): Finding[] {
  return Object.keys(static_roles).flatMap((name): Finding[] => {
    const { rotatedAt, rotationPeriod } = staticRoles.get(name) ?? {};
    if (rotatedAt === undefined || rotationPeriod === undefined) return [];
    const late = now - rotatedAt - rotationPeriod * 1_000;
    if (late < OVERDUE_MS) return [];
    return [
      {
        kind: "overdue-rotation",
        subject: name,
        detail: `its password was to be changed ${Math.round(late / 1_000)} s ago, and was not`,
        remedy: `Vault's log says why, and so does vault-postgres rotate ${environment} ${name}`,
      },
    ];
  });
}

function staticLoginFindings(
  environment: string,
  outputs: EnvironmentOutputs,
  { staticRoles }: Inventory,
  { postgres }: Survey,
): Finding[] {
  if (postgres === undefined) return [];
  const ofEngine = [...staticRoles.values()].filter(
    ({ connection }) => connection === outputs.vault.connection,
  );
  const declared = Object.entries(outputs.static_roles ?? {}).map(([name, role]) => ({ ...role, name }));
  const byLogin = new Map([...ofEngine, ...declared].map(({ name, username }) => [username, name] as const));
  return [...byLogin].flatMap(([username, role]): Finding[] => {
    const login = postgres.staticLogins.get(username);
    const of = `the login of the static role ${role}`;
    const rotate = `vault-postgres rotate ${environment} ${role}`;
    const base = outputs.static_roles?.[role]?.base_role;
    // Of one that the code names by username, a deployment makes nothing.
    const make =
      base === undefined
        ? `Have whoever made it make it again (CREATE ROLE … LOGIN IN ROLE …), run cdktf deploy ${environment}, which makes the manager ADMIN of it,`
        : `Make it again with cdktf deploy ${environment},`;
    if (login === undefined) {
      return [
        {
          kind: "missing-login",
          subject: username,
          detail: `${of} is not in PostgreSQL: its credential is of no use`,
          remedy: `${make} then set its password: ${rotate}`,
        },
      ];
    }
    const why = [
      ...(login.canLogin ? [] : ["may not log in (NOLOGIN)"]),
      ...(login.isLimited ? ["may have no session (CONNECTION LIMIT 0)"] : []),
      ...(login.hasExpired ? ["has a password whose time is over (VALID UNTIL)"] : []),
    ];
    return [
      ...lostInheritance(login, of, base),
      ...(base === undefined || login.memberOf.includes(base)
        ? []
        : [
            {
              kind: "missing-right" as const,
              subject: username,
              detail: `${of} is no member of ${base}, and has none of its rights`,
              remedy: `cdktf deploy ${environment}`,
            },
          ]),
      ...(why.length === 0
        ? []
        : [
            {
              kind: "login-off" as const,
              subject: username,
              detail: `${of} ${why.join(" and ")}`,
              remedy:
                `Find out who did that; then ALTER ROLE … LOGIN CONNECTION LIMIT -1 VALID UNTIL 'infinity', or cdktf ` +
                `deploy ${environment}`,
            },
          ]),
      ...(login.hasPassword === false
        ? [
            {
              kind: "login-without-password" as const,
              subject: username,
              detail: `${of} has no password: it was made again, and the engine's password is not its own`,
              remedy: `Set one: ${rotate}`,
            },
          ]
        : []),
    ];
  });
}

/** A deployment sees the membership, and not that it gives nothing. */
function lostInheritance(
  { name, memberOf, inherits }: StaticLogin,
  of: string,
  base: string | undefined,
): Finding[] {
  if (base === undefined || !memberOf.includes(base) || inherits.includes(base)) return [];
  const [role, login] = [escapeIdentifier(base), escapeIdentifier(name)];
  return [
    {
      kind: "missing-right",
      subject: name,
      detail: `${of} is a member of ${base}, and does not inherit its rights`,
      remedy:
        "Find out who did that. As who granted it, or a superuser, on PostgreSQL 16 and later: " +
        `GRANT ${role} TO ${login} WITH INHERIT TRUE, SET TRUE GRANTED BY …; earlier: ALTER ROLE ${login} INHERIT;`,
    },
  ];
}

/** Each would shut out who has the other's password. */
function sharedLogins({ staticRoles }: Inventory): Finding[] {
  const byLogin = new Map<string, EngineStaticRole[]>();
  for (const role of staticRoles.values()) {
    // One connection is one server.
    const key = `${role.connection} ${role.username}`;
    byLogin.set(key, [...(byLogin.get(key) ?? []), role]);
  }
  return [...byLogin.values()]
    .filter((roles) => roles.length > 1)
    .map((roles): Finding => ({
      kind: "shared-login",
      subject: roles[0]?.username ?? "",
      detail: `the static roles ${listed(roles.map(({ name }) => name))} set its password in turn: each shuts the other's out`,
      remedy: "Keep one of them, and let the applications of the other read that.",
    }));
}
