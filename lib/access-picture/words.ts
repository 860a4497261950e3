import type { AppRoleLimits, DatabaseGrant, Known, RoleAccess } from "./report";

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** Such as `1 h 30 min`; a day is written as `24 h`. */
export function lasts(seconds: Known<number>): string {
  if (typeof seconds === "string") return seconds;
  if (seconds === 0) return "0 s";
  if (seconds === 86_400) return "24 h";
  const words: string[] = [];
  let rest = seconds;
  for (const [unit, size] of UNITS) {
    const amount = Math.floor(rest / size);
    if (amount > 0) words.push(`${amount} ${unit}`);
    rest -= amount * size;
  }
  return words.join(" ");
}

/** What a SecretID is good for. */
export function secretIdWords(limits: AppRoleLimits): string {
  if (limits.secretIdNeeded === false) return "none needed: the RoleID alone logs in";
  const time = limits.secretIdTtl === 0 ? "for ever" : lasts(limits.secretIdTtl);
  const uses = limits.secretIdUses === 0 ? "" : `, ${times(limits.secretIdUses, "login")}`;
  return `${time}${uses}`;
}

/** What a token is good for. */
export function tokenWords(limits: AppRoleLimits): string {
  const { tokenTtl, tokenMaxTtl, tokenPeriod, tokenExplicitMaxTtl, tokenUses, tokenType } = limits;
  const ordinary = `${given(tokenTtl)}, at most ${given(tokenMaxTtl)}`;
  const time = tokenPeriod === undefined ? ordinary : `${given(tokenPeriod)} at a time, for ever`;
  const end =
    tokenExplicitMaxTtl === undefined || tokenExplicitMaxTtl === 0
      ? ""
      : `, ends after ${lasts(tokenExplicitMaxTtl)}`;
  const uses = tokenUses === 0 ? "" : `, ${times(tokenUses, "request")}`;
  return `${time}${end}${uses}${tokenType === "service" ? "" : `, ${tokenType}`}`;
}

/** From which networks. */
export function networkWords(networks: readonly string[]): string {
  return networks.length === 0 ? "anywhere" : networks.join(", ");
}

/** How long credentials of a role live. */
export function lifeWords(role: RoleAccess): string {
  if (role.rotationPeriod !== undefined) return `new password every ${lasts(role.rotationPeriod)}`;
  if (role.defaultTtl === undefined || role.maxTtl === undefined) return "";
  return `${lasts(role.defaultTtl)}, at most ${lasts(role.maxTtl)}`;
}

/** What of a role's SQL is the user's own; empty for none. */
export function ownSqlWords({ ownSql, superuserAllowed }: RoleAccess): string {
  if (ownSql.length === 0) return "";
  return `own SQL: ${ownSql.join(", ")}${superuserAllowed === true ? ", superusers allowed" : ""}`;
}

/** What a grant is on, in its database. */
export function grantedOn({ on, database, schema, objects }: DatabaseGrant): string {
  if (on === "database") return `database ${database}`;
  if (on === "schema") return `schema ${schema}`;
  const place = schema === undefined ? `database ${database}` : `schema ${schema}`;
  if (objects === undefined || objects.length === 0) return `all ${on}s in ${place}`;
  return `${on} ${objects.join(", ")} in ${place}`;
}

/** How far a right reaches: it reads; it changes what is there; it makes and drops. */
export type Strength = "read" | "write" | "own";

const READING = ["SELECT", "USAGE", "CONNECT", "TEMPORARY", "SHOW VIEW"];

/** The farthest that grants reach. */
export function strengthOf(grants: readonly DatabaseGrant[]): Strength {
  const privileges = grants.flatMap((grant) => grant.privileges);
  if (privileges.some((privilege) => /^(CREATE(?! TEMP)|DROP|ALTER|EVENT|INDEX)/.test(privilege)))
    return "own";
  // What is not known to read only, such as what only Terraform knows, may do more.
  return privileges.every((privilege) => READING.includes(privilege)) ? "read" : "write";
}

function given(seconds: Known<number> | undefined): string {
  return seconds === undefined || seconds === 0 ? "the server's default" : lasts(seconds);
}

function times(count: Known<number>, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}
