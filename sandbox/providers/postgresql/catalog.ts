// What the system catalogs say about databases, schemas and who owns them.
import type { Session } from "./server";

export async function databaseExists(session: Session, name: string): Promise<boolean> {
  return (
    (
      await session.query("SELECT 1 FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) $1", [
        name,
      ])
    ).length > 0
  );
}

export async function databaseOwner(session: Session, name: string): Promise<string> {
  const rows = await session.query(
    "SELECT pg_catalog.pg_get_userbyid(datdba)::pg_catalog.text AS owner FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) $1",
    [name],
  );
  if (rows[0] === undefined) {
    throw new Error(`the database ${name} does not exist`);
  }
  return String(rows[0].owner);
}

export async function schemaOwner(session: Session, name: string): Promise<string | undefined> {
  const rows = await session.query(
    "SELECT pg_catalog.pg_get_userbyid(nspowner)::pg_catalog.text AS owner FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) $1",
    [name],
  );
  return rows[0] && String(rows[0].owner);
}

/** The roles whose rights are needed to grant on a schema's objects of a type, the schema itself included. */
export async function ownersToActFor(
  session: Session,
  database: string,
  schema: string,
  objectType: string,
): Promise<string[]> {
  const owner = await schemaOwner(session, schema);
  if (owner === undefined) {
    throw new Error(`the schema ${schema} does not exist in the database ${database}`);
  }
  const tables =
    objectType === "schema"
      ? []
      : await session.query(
          "SELECT DISTINCT tableowner::pg_catalog.text AS owner FROM pg_catalog.pg_tables WHERE schemaname OPERATOR(pg_catalog.=) $1",
          [schema],
        );
  const owners = new Set([...tables.map((row) => String(row.owner)), owner]);
  // Schema public's owner from PostgreSQL 15 on: a role that nobody can be made a member of.
  if (owners.delete("pg_database_owner")) {
    owners.add(await databaseOwner(session, database));
  }
  return [...owners].sort();
}
