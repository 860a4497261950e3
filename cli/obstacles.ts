import type { Client } from "pg";
import type { DatabaseUser } from "./database-users";
import { accessLists, keyOf, type ObjectId } from "./hand-over/access-lists";
import { giversOf } from "./hand-over/privileges";

/** What in the environment's database keeps a user from being dropped, as far as that is seen from within alone. */
export interface Obstacles {
  /** Tables that have a policy which names the user, by OID: it needs a lock on them that no reader leaves room for. */
  readonly guarded: readonly number[];
  /** Some of what somebody who is not the owner has given it, such as `table app.orders, by app`. */
  readonly given: readonly string[];
  /** Some of what it owns in a schema where its base role may make nothing, such as `function app.f()`. */
  readonly outOfReach: readonly string[];
}

/** Looked at of each user, at most. */
const MOST_LOOKED_AT = 500;
const MOST_TOLD = 3;

/**
 * Looks from within the environment's database; by OID of the user.
 *
 * @param baseRoles of each user, by its OID, where it is known
 */
export async function obstaclesOf(
  client: Client,
  users: readonly DatabaseUser[],
  baseRoles: ReadonlyMap<number, string>,
): Promise<Map<number, Obstacles>> {
  const found = new Map<number, Obstacles>();
  for (const user of users) found.set(user.oid, await ofUser(client, user, baseRoles.get(user.oid)));
  return found;
}

async function ofUser(
  client: Client,
  { name, oid }: DatabaseUser,
  baseRole: string | undefined,
): Promise<Obstacles> {
  const { rows } = await client.query<
    ObjectId & { what: string; owned: boolean; guarded: number | null; lacks: boolean }
  >(
    `SELECT d.classid::pg_catalog.text, d.objid::pg_catalog.text,
       d.deptype OPERATOR(pg_catalog.=) 'o' AS owned, o.type OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||) o.identity AS what,
       (SELECT p.polrelid::bigint::double precision FROM pg_catalog.pg_policy AS p
        WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_policy'::pg_catalog.regclass
          AND p.oid OPERATOR(pg_catalog.=) d.objid) AS guarded,
       COALESCE((SELECT NOT pg_catalog.has_schema_privilege(base.oid, n.oid, 'CREATE')
        FROM pg_catalog.pg_namespace AS n, pg_catalog.pg_roles AS base
        WHERE n.nspname::pg_catalog.text OPERATOR(pg_catalog.=) o.schema
          AND base.rolname::pg_catalog.text OPERATOR(pg_catalog.=) $2), false) AS lacks
     FROM (
       SELECT DISTINCT classid, objid, deptype FROM pg_catalog.pg_shdepend
       WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
         AND refobjid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND dbid OPERATOR(pg_catalog.=)
           (SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
       LIMIT ${MOST_LOOKED_AT}
     ) AS d
     CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) AS o
     WHERE o.identity IS NOT NULL`,
    [oid, baseRole ?? ""],
  );
  const lists = await accessLists(
    client,
    rows.filter(({ owned }) => !owned),
  );
  const given = rows.flatMap((row) => {
    const own = row.owned ? [] : (lists.get(keyOf(row)) ?? []);
    const givers = giversOf(own, name).filter((giver) => giver !== name);
    if (givers.length > 0) return [`${row.what}, by ${givers.join(" and ")}`];
    return giversOf(own, name).length > 0 ? [`${row.what}, which it has given on`] : [];
  });
  return {
    guarded: rows.flatMap(({ guarded }) => guarded ?? []),
    given: given.slice(0, MOST_TOLD),
    outOfReach: rows
      .filter(({ owned, lacks }) => owned && lacks)
      .slice(0, MOST_TOLD)
      .map(({ what }) => what),
  };
}
