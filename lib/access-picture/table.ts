import type { AccessReport, AppRoleAccess, DatabaseGrant, RoleAccess } from "./report";
import { grantedOn, lifeWords, networkWords, ownSqlWords, secretIdWords, tokenWords } from "./words";

const EXISTING = "existing";

/**
 * Tables in Markdown, one right a line, so that a change of a right changes few lines. Columns are not padded: a longer
 * word would change all lines of its table.
 */
export function accessTable(report: AccessReport): string {
  const sections = [
    section("Who may read what", ["AppRole", "may read", "acts as", "which may"], readings(report)),
    section(
      "Applications",
      ["AppRole", "SecretID", "logs in from", "token", "token used from", "policies besides"],
      applications(report),
    ),
    section("Roles", ["role", "kind", "lives", "at revocation", "acts as", "remarks"], roles(report)),
    section(
      "What base roles and roles may do",
      ["who", "database", "on", "privileges", "also what these make later"],
      rights(report),
    ),
    section("Policies besides", ["policy", "path", "capabilities", "held by"], policies(report)),
    section(
      "Logins that last",
      ["login", "kind", "rights of", "password", "ADMIN of", "let into"],
      logins(report),
    ),
  ];
  return sections.filter((text) => text !== undefined).join("\n");
}

function readings(report: AccessReport): string[][] {
  return report.appRoles.flatMap((appRole) =>
    appRole.reads.map((id) => {
      const role = report.roles.find((each) => each.id === id)!;
      return [appRole.name, role.path, actsAs(report, role), summary(report, role)];
    }),
  );
}

function applications(report: AccessReport): string[][] {
  return report.appRoles.map((appRole) => {
    const { limits } = appRole;
    if (limits === undefined) return [appRole.name, EXISTING, "", "", "", ""];
    return [
      appRole.name,
      secretIdWords(limits),
      networkWords(limits.secretIdNetworks),
      tokenWords(limits),
      networkWords(limits.tokenNetworks),
      [...(limits.defaultPolicy === false ? [] : ["default"]), ...policyNames(report, appRole)].join(", "),
    ];
  });
}

function policyNames(report: AccessReport, appRole: AppRoleAccess): string[] {
  return appRole.policies.map((id) => report.policies.find((policy) => policy.id === id)?.name ?? id);
}

function roles(report: AccessReport): string[][] {
  return report.roles.map((role) => [
    role.path,
    role.existing ? `${role.type}, ${EXISTING}` : role.type,
    lifeWords(role),
    role.revocation ?? "",
    actsAs(report, role),
    [
      ownSqlWords(role),
      ...(role.from === undefined ? [] : [`from ${role.from}`]),
      ...(role.tls === undefined ? [] : [role.tls ? "TLS only" : "without TLS, too"]),
      ...(report.appRoles.some(({ reads }) => reads.includes(role.id)) ? [] : ["no AppRole here reads it"]),
    ]
      .filter((remark) => remark !== "")
      .join("; "),
  ]);
}

function rights(report: AccessReport): string[][] {
  const lines = (who: string, grants: readonly DatabaseGrant[]) =>
    grants.map((grant) => [
      who,
      grant.database,
      grantedOn(grant),
      grant.privileges.join(", "),
      (grant.laterObjectsOf ?? []).join(", "),
    ]);
  return [
    ...report.baseRoles.flatMap(({ name, existing, grants }) =>
      existing ? [[name, "", EXISTING, "", ""]] : lines(name, grants),
    ),
    ...report.roles.flatMap(({ path, grants = [] }) => lines(path, grants)),
  ];
}

function policies(report: AccessReport): string[][] {
  return report.policies.flatMap((policy) => {
    const holders = report.appRoles.filter((appRole) => appRole.policies.includes(policy.id));
    const heldBy = holders.length === 0 ? "no AppRole here" : holders.map(({ name }) => name).join(", ");
    if (policy.existing) return [[policy.name, EXISTING, "", heldBy]];
    return policy.rules.map(({ path, capabilities }) => [policy.name, path, capabilities.join(", "), heldBy]);
  });
}

function logins(report: AccessReport): string[][] {
  return report.logins.map((login) => {
    const keeper = report.roles.find((role) => role.login === login.id);
    const none = login.existing ? "not known here" : "none";
    const kept = keeper === undefined ? none : `of the role ${keeper.path}`;
    const first = login.type === "manager" ? "a first one, then rotated" : "its own";
    const kind = login.type === "manager" ? "login of the engine, makes roles" : "login";
    return [
      login.name,
      login.existing ? `${kind}, ${EXISTING}` : kind,
      report.baseRoles.find(({ id }) => id === login.baseRole)?.name ?? "",
      login.ownPassword ? first : kept,
      login.adminOf.join(", "),
      login.connects.join(", "),
    ];
  });
}

/** Names of those whose rights a role's users have. */
function actsAs(report: AccessReport, role: RoleAccess): string {
  const login = report.logins.find(({ id }) => id === role.login);
  const base = report.baseRoles.find(({ id }) => id === (role.baseRole ?? login?.baseRole));
  if (login !== undefined) return base ? `${login.name}, member of ${base.name}` : login.name;
  return base?.name ?? (role.existing ? "" : "users of its own");
}

/** In few words: the level, and where. */
function summary(report: AccessReport, role: RoleAccess): string {
  const login = report.logins.find(({ id }) => id === role.login);
  const base = report.baseRoles.find(({ id }) => id === (role.baseRole ?? login?.baseRole));
  const own = role.ownSql.includes("creation") ? "what its own SQL gives" : undefined;
  const { level, schemas, database } = base ?? { level: role.level, schemas: [], database: undefined };
  const databases = new Set(role.grants?.map((grant) => grant.database));
  const places = base ? schemas.map((schema) => `${database ?? "?"}.${schema}`) : [...databases];
  const preset = level === undefined ? undefined : `${level} on ${places.join(", ") || (database ?? "?")}`;
  return [preset, own].filter((words) => words !== undefined).join(", and ") || "not known here";
}

function section(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string | undefined {
  if (rows.length === 0) return undefined;
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const head = [line(columns), `|${" --- |".repeat(columns.length)}`];
  return [`## ${title}`, "", ...head, ...rows.map(line), ""].join("\n");
}

/** A name of a server may have any character. */
function cell(text: string): string {
  return text.replaceAll(/[\\|`*_<>[\]]/g, (character) => (character === "_" ? character : `\\${character}`));
}
