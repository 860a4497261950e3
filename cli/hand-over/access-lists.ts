import type { Client } from "pg";
import type { AccessList, AclEntry } from "./privileges";

const LISTED = `ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) AS listed (classid, objid)`;

/** Catalogs of what has an access list: with the columns of its OID, its owner and the list. */
const CATALOGS: readonly (readonly [catalog: string, oid: string, owner: string, list: string])[] = [
  ["pg_class", "oid", "relowner", "relacl"],
  ["pg_proc", "oid", "proowner", "proacl"],
  ["pg_namespace", "oid", "nspowner", "nspacl"],
  ["pg_type", "oid", "typowner", "typacl"],
  ["pg_language", "oid", "lanowner", "lanacl"],
  ["pg_foreign_server", "oid", "srvowner", "srvacl"],
  ["pg_foreign_data_wrapper", "oid", "fdwowner", "fdwacl"],
  ["pg_database", "oid", "datdba", "datacl"],
  ["pg_tablespace", "oid", "spcowner", "spcacl"],
];

/** Large objects have their owner and their list under another class than the one that they are known by. */
const LARGE_OBJECTS = listsOf("pg_largeobject", "pg_largeobject_metadata", "oid", "lomowner", "lomacl");
/** From PostgreSQL 15 on. The first superuser counts as their owner. */
const PARAMETERS = listsOf("pg_parameter_acl", "pg_parameter_acl", "oid", "10::pg_catalog.oid", "paracl");

const COLUMNS = `
  SELECT listed.classid, listed.objid, of.attname::pg_catalog.text AS "column", t.relowner AS owner, of.attacl AS list
  FROM ${LISTED} JOIN pg_catalog.pg_class AS t ON t.oid OPERATOR(pg_catalog.=) listed.objid
  JOIN pg_catalog.pg_attribute AS of ON of.attrelid OPERATOR(pg_catalog.=) t.oid
  WHERE listed.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass AND of.attacl IS NOT NULL
    AND NOT of.attisdropped`;

function listsOf(kind: string, catalog: string, oid: string, owner: string, list: string): string {
  return `
    SELECT listed.classid, listed.objid, NULL::pg_catalog.text AS "column", ${owner} AS owner, ${list} AS list
    FROM ${LISTED} JOIN pg_catalog.${catalog} AS of ON of.${oid} OPERATOR(pg_catalog.=) listed.objid
    WHERE listed.classid OPERATOR(pg_catalog.=) 'pg_catalog.${kind}'::pg_catalog.regclass`;
}

/** What an object is known by. */
export interface ObjectId {
  readonly classid: string;
  readonly objid: string;
}

export const keyOf = ({ classid, objid }: ObjectId) => `${classid} ${objid}`;

/** The access lists of objects and of their columns, where they are not those that an object has by default. */
export async function accessLists(
  client: Client,
  objects: readonly ObjectId[],
): Promise<Map<string, AccessList[]>> {
  const found = new Map<string, AccessList[]>();
  if (objects.length === 0) return found;
  const { rows: version } = await client.query<{ number: number }>(
    "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS number",
  );
  const parts = [
    ...CATALOGS.map(([catalog, ...columns]) => listsOf(catalog, catalog, ...columns)),
    ...[LARGE_OBJECTS, COLUMNS],
    ...((version[0]?.number ?? 0) >= 150_000 ? [PARAMETERS] : []),
  ];
  const { rows } = await client.query<
    ObjectId & { column: string | null; owner: string; entries: readonly AclEntry[] }
  >(
    `SELECT one.classid::pg_catalog.text, one.objid::pg_catalog.text, one."column",
       pg_catalog.pg_get_userbyid(one.owner)::pg_catalog.text AS owner,
       (SELECT COALESCE(pg_catalog.json_agg(pg_catalog.json_build_object(
          'grantor', pg_catalog.pg_get_userbyid(entry.grantor),
          'grantee', CASE WHEN entry.grantee OPERATOR(pg_catalog.<>) 0::pg_catalog.oid THEN pg_catalog.pg_get_userbyid(entry.grantee) END,
          'privilege', entry.privilege_type, 'grantable', entry.is_grantable)), '[]')
        FROM pg_catalog.aclexplode(one.list) AS entry) AS entries
     FROM (${parts.join("\n     UNION ALL")}) AS one`,
    [objects.map(({ classid }) => classid), objects.map(({ objid }) => objid)],
  );
  for (const { column, owner, entries, ...id } of rows) {
    const key = keyOf(id);
    found.set(key, [...(found.get(key) ?? []), { ...(column !== null && { column }), owner, entries }]);
  }
  return found;
}
