import { escapeIdentifier, type Client } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { baseRolesOf, type KnownNames } from "./database-users";
import type { Finding } from "./finding";
import { inLine, listed } from "./text";

/** A login that has the rights of base roles, and that neither the environment nor the engine has made. */
export interface ForeignMember {
  readonly name: string;
  /** Base roles that it is a member of, by itself or through others. */
  readonly baseRoles: readonly string[];
  /** Roles through which it is a member; its own name where by itself. */
  readonly through: readonly string[];
}

/** More than these are not told, so that the report stays one. */
const MOST = 20;

/**
 * Logins that last, and are members of the environment's base roles. Users of the engine have an end, or a name that tells
 * them; whoever may make roles may join any, and so may the owner of the database, which is Terraform's login.
 */
export async function foreignMembers(
  client: Client,
  outputs: EnvironmentOutputs,
  { prefix, staticLogins, areAllStaticLogins }: KnownNames,
): Promise<ForeignMember[]> {
  const { manager, database } = outputs.postgres;
  const statics = Object.values(outputs.static_roles ?? {}).map(({ username }) => username);
  const known = [manager, ...statics, ...staticLogins];
  const { rows } = await client.query<ForeignMember>(
    `WITH RECURSIVE reached (base, member, through) AS (
       SELECT base.oid, membership.member, membership.member
       FROM pg_catalog.pg_roles AS base
       JOIN pg_catalog.pg_auth_members AS membership ON membership.roleid OPERATOR(pg_catalog.=) base.oid
       WHERE base.rolname OPERATOR(pg_catalog.=) ANY ($1)
       UNION
       SELECT reached.base, membership.member, reached.through
       FROM reached JOIN pg_catalog.pg_roles AS middle ON middle.oid OPERATOR(pg_catalog.=) reached.member
       JOIN pg_catalog.pg_auth_members AS membership ON membership.roleid OPERATOR(pg_catalog.=) reached.member
       WHERE NOT middle.rolcanlogin AND middle.rolname OPERATOR(pg_catalog.<>) ALL ($1)
     )
     SELECT login.rolname::pg_catalog.text AS name,
       pg_catalog.array_agg(DISTINCT base.rolname::pg_catalog.text) AS "baseRoles",
       pg_catalog.array_agg(DISTINCT middle.rolname::pg_catalog.text) AS through
     FROM reached
     JOIN pg_catalog.pg_roles AS login ON login.oid OPERATOR(pg_catalog.=) reached.member
     JOIN pg_catalog.pg_roles AS base ON base.oid OPERATOR(pg_catalog.=) reached.base
     JOIN pg_catalog.pg_roles AS middle ON middle.oid OPERATOR(pg_catalog.=) reached.through
     WHERE login.rolcanlogin AND NOT login.rolsuper AND NOT login.rolcreaterole
       AND NOT COALESCE(pg_catalog.isfinite(login.rolvaliduntil), false)
       AND login.rolname OPERATOR(pg_catalog.<>) ALL ($2)
       AND NOT ($3 OPERATOR(pg_catalog.<>) '' AND pg_catalog.starts_with(login.rolname::pg_catalog.text, $3))
       AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) $4 AND datdba OPERATOR(pg_catalog.=) login.oid
       )
       AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_auth_members AS membership
         JOIN pg_catalog.pg_roles AS manager ON manager.oid OPERATOR(pg_catalog.=) membership.member
         WHERE membership.roleid OPERATOR(pg_catalog.=) login.oid AND manager.rolname OPERATOR(pg_catalog.=) $5
       )
     GROUP BY login.rolname ORDER BY login.rolname LIMIT ${MOST}`,
    [baseRolesOf(outputs), known, prefix, database, manager],
  );
  // Nothing tells a static role's login of another stack where these may not be listed.
  return areAllStaticLogins ? rows : [];
}

export function foreignMemberFindings(members: readonly ForeignMember[]): Finding[] {
  return members.map(({ name, baseRoles, through }): Finding => {
    const direct = through.length === 1 && through[0] === name;
    const undo = through.flatMap((member) =>
      member === name
        ? baseRoles.map((base) => `REVOKE ${escapeIdentifier(base)} FROM ${escapeIdentifier(name)};`)
        : [`REVOKE ${escapeIdentifier(member)} FROM ${escapeIdentifier(name)};`],
    );
    return {
      kind: "excess-right",
      subject: inLine(name),
      detail:
        `a login that nothing here has made is a member of ${listed(baseRoles)}` +
        (direct ? "" : ` through ${listed(through.filter((member) => member !== name))}`) +
        ", with all that credentials of it may do, and no lease that ends it",
      remedy: `Find out who gave it that, and what was done with it. As a superuser: ${undo.join(" ")}`,
    };
  });
}
