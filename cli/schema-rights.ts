import { escapeIdentifier, type Client } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import type { Finding } from "./finding";

/** That everybody may make objects in a schema that applications use. */
export interface SchemaRight {
  readonly schema: string;
}

/** From the environment's own database alone: those of the declared schemas in which PUBLIC has CREATE. */
export async function schemaRights(client: Client, { roles }: EnvironmentOutputs): Promise<SchemaRight[]> {
  const { rows } = await client.query<SchemaRight>(
    `SELECT DISTINCT nspname::pg_catalog.text AS schema FROM pg_catalog.pg_namespace,
       pg_catalog.aclexplode(COALESCE(nspacl, pg_catalog.acldefault('n', nspowner)))
     WHERE nspname OPERATOR(pg_catalog.=) ANY ($1) AND grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid
       AND privilege_type OPERATOR(pg_catalog.=) 'CREATE'
     ORDER BY 1`,
    [[...new Set(Object.values(roles).flatMap(({ schemas }) => schemas))]],
  );
  return rows;
}

export function schemaRightFindings(
  { postgres: { database } }: EnvironmentOutputs,
  rights: readonly SchemaRight[],
): Finding[] {
  return rights.map(({ schema }) => ({
    kind: "excess-right",
    subject: schema,
    detail: `PUBLIC has CREATE on the schema of ${database}: every credential makes objects in it, functions too`,
    remedy:
      "Find out who granted it, and look what was made there: vault-postgres footholds. As the schema's owner, in that " +
      `database: REVOKE CREATE ON SCHEMA ${escapeIdentifier(schema)} FROM PUBLIC;`,
  }));
}
