import { escapeIdentifier, type Client } from "pg";
import { accessLists, keyOf } from "./access-lists";
import type { Step } from "./as-manager";
import type { EndedUser } from "./ended-users";
import { partingFor } from "./memberships";
import { statementsFor, type Dependency } from "./statements";

/** A schema that some of the objects are in. */
interface Schema {
  readonly name: string;
  readonly owner: string;
  /** What is lacking to name what is in it, or to own it: `USAGE`, `CREATE`. */
  readonly lacking: readonly string[];
}

/**
 * Those whose rights are needed to hand objects over: who owns them, and who owns the schemas that they are in, where the base
 * role may not do there what it has to.
 */
export async function ownersAround(
  client: Client,
  some: readonly Dependency[],
  baseRole: string,
): Promise<string[]> {
  const lacking = await lackingSchemas(client, some, baseRole);
  const owners = some.flatMap(({ owned, owner }) => (owned || owner === undefined ? [] : [owner]));
  return [...new Set([...owners, ...lacking.map(({ owner }) => owner)])];
}

/**
 * What is run in one transaction to hand objects over and take privileges away, seen from the engine's login. The base role
 * may lack CREATE on a schema, as where it has taken that from itself: it gets that for as long as this takes.
 *
 * @param as who runs what the engine's login should be able to
 */
export async function plan(
  client: Client,
  some: readonly Dependency[],
  { name, baseRole }: Pick<EndedUser, "name" | "baseRole">,
  as: Step["as"],
): Promise<Step[]> {
  const granted = some.filter(({ owned }) => !owned);
  const lists = await accessLists(client, granted);
  const ownerOf = (one: Dependency) => one.owner ?? lists.get(keyOf(one))?.[0]?.owner;
  const schemas = await lackingSchemas(client, some, baseRole);
  const runners = await runnersFor(client, [
    ...granted.flatMap((one) => ownerOf(one) ?? []),
    ...schemas.map(({ owner }) => owner),
  ]);
  const onSchemas = (word: "GRANT" | "REVOKE"): Step[] =>
    schemas.flatMap(({ name: schema, owner, lacking }) => {
      const runner = runners.get(owner);
      if (runner === undefined) return [];
      const [to, role] = [word === "GRANT" ? "TO" : "FROM", escapeIdentifier(baseRole)];
      return [
        {
          as: runner,
          sql: `${word} ${lacking.join(", ")} ON SCHEMA ${escapeIdentifier(schema)} ${to} ${role}`,
        },
      ];
    });
  const steps = some.flatMap((one): Step[] => {
    const owner = ownerOf(one);
    const runner = one.owned || owner === undefined ? as : runners.get(owner);
    // Nobody here may: it is told at the end.
    if (runner === undefined) return [];
    return statementsFor(one, name, baseRole, lists.get(keyOf(one))).map((sql) => ({
      as: as === "login" ? as : runner,
      sql,
    }));
  });
  if (steps.length === 0) return [];
  const parting = await partingFor(client, [...lists.values()], name);
  const run = (statements: readonly string[]) => statements.map((sql): Step => ({ as, sql }));
  return [
    ...onSchemas("GRANT"),
    ...run(parting.before),
    ...steps,
    ...run(parting.after),
    ...onSchemas("REVOKE"),
  ];
}

function schemasOf(some: readonly Dependency[]): string[] {
  return [...new Set(some.flatMap(({ schema }) => schema ?? []))];
}

async function lackingSchemas(
  client: Client,
  some: readonly Dependency[],
  baseRole: string,
): Promise<Schema[]> {
  const ofOwned = schemasOf(some.filter(({ owned }) => owned));
  const { rows } = await client.query<Schema>(
    `SELECT * FROM (
       SELECT nspname::pg_catalog.text AS name, pg_catalog.pg_get_userbyid(nspowner)::pg_catalog.text AS owner,
         pg_catalog.array_remove(ARRAY[
           CASE WHEN NOT pg_catalog.has_schema_privilege(oid, 'USAGE') THEN 'USAGE' END,
           CASE WHEN nspname::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.text[])
             AND NOT pg_catalog.has_schema_privilege($3, oid, 'CREATE') THEN 'CREATE' END
         ]::pg_catalog.text[], NULL) AS lacking
       FROM pg_catalog.pg_namespace WHERE nspname::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
     ) AS one WHERE pg_catalog.cardinality(lacking) OPERATOR(pg_catalog.>) 0`,
    [schemasOf(some), ofOwned, baseRole],
  );
  return rows;
}

/** Who may act as an owner: the engine's login as it is now, or that of PGUSER; no entry where neither may. */
async function runnersFor(client: Client, owners: readonly string[]): Promise<Map<string, Step["as"]>> {
  const { rows } = await client.query<{ name: string; manager: boolean; login: boolean }>(
    `SELECT rolname::pg_catalog.text AS name, pg_catalog.pg_has_role(oid, 'USAGE') AS manager,
       pg_catalog.pg_has_role(session_user, oid, 'USAGE') AS login
     FROM pg_catalog.pg_roles WHERE rolname::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])`,
    [[...new Set(owners)]],
  );
  const may = rows.filter(({ manager, login }) => manager || login);
  return new Map(may.map(({ name, manager }) => [name, manager ? "manager" : "login"]));
}
