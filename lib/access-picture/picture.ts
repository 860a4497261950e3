import { Drawing, type Picture } from "./drawing";
import type { AccessReport, DatabaseGrant, PolicyAccess, RoleAccess } from "./report";
import {
  grantedOn,
  lifeWords,
  ownSqlWords,
  secretIdWords,
  strengthOf,
  tokenWords,
  type Strength,
} from "./words";

/** The parts of a report and the lines between them, where a reader follows a right from left to right. */
export function pictureOf(report: AccessReport): Picture {
  const drawn = new Drawing();
  for (const appRole of report.appRoles) {
    const { limits } = appRole;
    const networks = limits && [...new Set([...limits.secretIdNetworks, ...limits.tokenNetworks])];
    drawn.node(appRole.id, "applications", appRole.name, [
      limits ? `token ${tokenWords(limits)} · SecretID ${secretIdWords(limits)}` : "existing",
      ...(networks && networks.length > 0 ? [`from ${networks.join(", ")}`] : []),
    ]);
    for (const role of appRole.reads) drawn.edge(appRole.id, role);
    for (const policy of appRole.policies) drawn.edge(appRole.id, policy);
  }
  for (const role of report.roles) drawRole(drawn, report, role);
  for (const policy of report.policies) drawPolicy(drawn, policy);
  for (const login of report.logins) {
    if (login.type !== "login" || !login.ownPassword) continue;
    drawn.node(login.id, "roles", login.name, ["login with a password of its own"]);
    if (login.baseRole !== undefined) drawn.edge(login.id, login.baseRole);
  }
  for (const base of report.baseRoles) {
    const strength = base.existing ? strengthOfLevel(base.level) : strengthOf(base.grants);
    const lines = base.existing ? [`existing, ${base.level}`] : [base.level];
    drawn.node(base.id, "base roles", base.name, lines, strength, base.existing && strength === undefined);
    drawRights(drawn, base.id, base.level, base.grants);
    if (base.existing) {
      for (const schema of base.schemas) drawn.edge(base.id, drawn.place("?", schema), base.level, strength);
    }
  }
  return drawn.picture();
}

function drawRole(drawn: Drawing, report: AccessReport, role: RoleAccess): void {
  const login = report.logins.find(({ id }) => id === role.login);
  const base = role.baseRole ?? login?.baseRole;
  drawn.node(role.id, "roles", role.name, [
    ...(role.existing ? ["existing"] : []),
    ...[lifeWords(role), ownSqlWords(role)].filter((line) => line !== ""),
    ...(login ? [`login ${login.name}`] : []),
  ]);
  if (base !== undefined) drawn.edge(role.id, base);
  drawRights(drawn, role.id, role.level ?? "custom", role.grants ?? []);
  const own = role.ownSql.includes("creation");
  if (own) drawn.unknown(role.id, "what its own SQL gives");
  else if (!role.existing && base === undefined && role.grants === undefined) {
    drawn.unknown(role.id, `login ${login?.name ?? "?"}`, "existing, rights not known here");
  }
}

const MOST_RULES = 4;

function drawPolicy(drawn: Drawing, { id, name, existing, rules }: PolicyAccess): void {
  const shown = rules.slice(0, rules.length > MOST_RULES ? MOST_RULES - 1 : MOST_RULES);
  const left = rules.length - shown.length;
  const capabilities = new Set(rules.flatMap((rule) => rule.capabilities));
  for (const harmless of ["read", "list", "deny"]) capabilities.delete(harmless);
  drawn.node(
    id,
    "roles",
    `policy ${name}`,
    [
      ...(existing ? ["existing, rules not known here"] : []),
      ...shown.map(({ path, capabilities }) => {
        const at = path.toLowerCase() === name ? "" : `: ${path}`;
        return `${capabilities.join(", ")}${at}`;
      }),
      ...(left > 0 ? [`and ${left} more rules`] : []),
    ],
    existing ? undefined : capabilities.size > 0 ? "write" : "read",
    existing,
  );
}

/** One line for each schema; CONNECT is left to the table. */
function drawRights(drawn: Drawing, from: string, level: string, grants: readonly DatabaseGrant[]): void {
  const places = new Map<string, DatabaseGrant[]>();
  for (const grant of grants) {
    const isEntry = grant.on === "database" && !grant.privileges.includes("CREATE");
    if (isEntry && grants.length > 1) continue;
    const place = drawn.place(grant.database, grant.schema);
    places.set(place, [...(places.get(place) ?? []), grant]);
  }
  for (const [place, given] of places) {
    const preset = { owner: "owns", "read-write": "reads, writes", "read-only": "reads" }[level];
    const onDatabase = given.every(({ on }) => on === "database");
    const label = onDatabase || preset === undefined ? customWords(given) : preset;
    drawn.edge(from, place, label, strengthOf(given));
  }
}

/** USAGE of a schema is what every other right in it needs. */
function customWords(grants: readonly DatabaseGrant[]): string {
  const telling = grants.filter(({ on, privileges }) => on !== "schema" || privileges.includes("CREATE"));
  return (telling.length > 0 ? telling : grants)
    .map((grant) => {
      const on =
        grant.on === "database" || grant.on === "schema" ? "" : ` on ${grantedOn(grant).split(" in ")[0]}`;
      return `${grant.privileges.join(", ")}${on}`;
    })
    .join("; ");
}

function strengthOfLevel(level: string): Strength | undefined {
  return ({ owner: "own", "read-write": "write", "read-only": "read" } as const)[level as "owner"];
}
