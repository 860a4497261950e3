import { escapeIdentifier, type Client } from "pg";
import { MEMBERSHIP_OPTIONS, type Membership } from "../membership";
import { giversOf, type AccessList } from "./privileges";

/** How some roles cease to be members of others, and are so again. */
export interface Parting {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/**
 * What a member of an owner has given with a grant option cannot be taken back, as PostgreSQL takes that for the owner's own
 * option, which nobody can lose. So for as long as that takes, those who gave something to a user are no members. Nobody sees
 * it, as it is all in one transaction.
 *
 * @param objects the access lists of each object
 */
export async function partingFor(
  client: Client,
  objects: readonly (readonly AccessList[])[],
  user: string,
): Promise<Parting> {
  const given = objects.map((lists) => ({ owner: lists[0]?.owner, givers: giversOf(lists, user) }));
  const pairs = given.flatMap(({ owner, givers }) =>
    owner === undefined ? [] : givers.map((giver) => `${giver}\n${owner}`),
  );
  const distinct = [...new Set(pairs)].map((pair) => pair.split("\n"));
  if (distinct.length === 0) return { before: [], after: [] };
  const { rows } = await client.query<Membership>(
    `SELECT DISTINCT role.rolname::pg_catalog.text AS role, member.rolname::pg_catalog.text AS member,
       grantor.rolname::pg_catalog.text AS grantor, ${MEMBERSHIP_OPTIONS}
     FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) AS one (giver, owner)
     JOIN pg_catalog.pg_roles AS member ON member.rolname::pg_catalog.text OPERATOR(pg_catalog.=) one.giver
     JOIN pg_catalog.pg_roles AS owner ON owner.rolname::pg_catalog.text OPERATOR(pg_catalog.=) one.owner
     JOIN pg_catalog.pg_auth_members AS m ON m.member OPERATOR(pg_catalog.=) member.oid
     JOIN pg_catalog.pg_roles AS role ON role.oid OPERATOR(pg_catalog.=) m.roleid
     LEFT JOIN pg_catalog.pg_roles AS grantor ON grantor.oid OPERATOR(pg_catalog.=) m.grantor
     WHERE NOT member.rolsuper AND pg_catalog.pg_has_role(role.oid, owner.oid, 'USAGE')`,
    [distinct.map(([giver]) => giver), distinct.map(([, owner]) => owner)],
  );
  return { before: rows.map(revoking), after: rows.map(granting) };
}

function revoking(membership: Membership): string {
  const { role, member } = membership;
  return `REVOKE ${escapeIdentifier(role)} FROM ${escapeIdentifier(member)}${grantedBy(membership)}`;
}

function granting(membership: Membership): string {
  const { role, member, admin, inherit, set } = membership;
  const options =
    inherit === null || set === null
      ? admin
        ? " WITH ADMIN OPTION"
        : ""
      : ` WITH ADMIN ${String(admin)}, INHERIT ${inherit}, SET ${set}`;
  return `GRANT ${escapeIdentifier(role)} TO ${escapeIdentifier(member)}${options}${grantedBy(membership)}`;
}

function grantedBy({ grantor, inherit }: Membership): string {
  return grantor === null || inherit === null ? "" : ` GRANTED BY ${escapeIdentifier(grantor)}`;
}
