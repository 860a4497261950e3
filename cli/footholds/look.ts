import type { Client } from "pg";
import type { EnvironmentOutputs } from "../../stacks/outputs";
import { CatalogWait } from "../catalog-waits";
import { describeError } from "../errors";
import { CODE } from "./code";
import { sorted, type Foothold, type FootholdList } from "./foothold";
import {
  DEFAULT_GRANTS,
  defaultGrantFootholds,
  grantFootholds,
  GRANTS,
  type DefaultGrant,
  type Grant,
} from "./grants";
import { NAMES } from "./names";
import { CRON, CRON_IS_GENUINE, OUTSIDE } from "./outside";
import {
  issuedBy,
  membershipFootholds,
  MEMBERSHIPS,
  roleFootholds,
  ROLES,
  rolesOf,
  settingFootholds,
  SETTINGS,
  type FoundMembership,
  type RoleAttributes,
  type Setting,
} from "./roles";
import { EQ, seen, type Query, type Seen } from "./sql";

/** Every look that there is. */
export const QUERIES: readonly Query[] = [
  ...[...CODE, ...NAMES, ...OUTSIDE, CRON],
  ...[GRANTS, DEFAULT_GRANTS, MEMBERSHIPS, ROLES, SETTINGS],
];

/** Databases with ten thousands of tables take some seconds. */
const QUERY_TIMEOUT_MS = 300_000;
/** Views and rules are read with a lock that a migration may keep from us. */
const LOCK_TIMEOUT = "2s";

/**
 * Lists everything in the database of the session that can act for others or lets somebody in. It reads catalogs alone.
 *
 * @param client session in the environment's database
 */
export async function listFootholds(client: Client, outputs: EnvironmentOutputs): Promise<FootholdList> {
  const notLookedAt: string[] = [];
  const unknownKinds: string[] = [];
  const footholds: Foothold[] = [];
  await begin(client);
  try {
    const { version, owner } = await serverOf(client);
    const own = rolesOf(outputs, owner);
    const ask = async <R extends object>(query: Query, values: unknown[] = []): Promise<R[]> => {
      if (version < (query.since ?? 0)) return [];
      await client.query("SAVEPOINT one_look");
      try {
        return await rowsOf<R>(client, query.sql, values);
      } catch (error) {
        // Each look would wait as long.
        if (error instanceof CatalogWait) throw error;
        await client.query("ROLLBACK TO SAVEPOINT one_look");
        unknownKinds.push(...query.kinds);
        notLookedAt.push(`Not looked at: ${query.subject}. PostgreSQL says: ${describeError(error)}`);
        return [];
      }
    };
    const cron = await isCronThere(client);
    for (const query of [...CODE, ...NAMES, ...OUTSIDE, ...(cron ? [CRON] : [])]) {
      footholds.push(
        ...(await ask<Seen>({ ...query, sql: seen(query.sql) }))
          .map(footholdOf)
          .filter((found) => !isOwned(found, own.all)),
      );
    }
    const issued = issuedBy(outputs);
    footholds.push(
      ...grantFootholds(outputs, await ask<Grant>(GRANTS)),
      ...defaultGrantFootholds(await ask<DefaultGrant>(DEFAULT_GRANTS)),
      ...membershipFootholds(outputs, own, await ask<FoundMembership>(MEMBERSHIPS, issued)),
      ...roleFootholds(own, await ask<RoleAttributes>(ROLES, issued)),
      ...settingFootholds(own, await ask<Setting>(SETTINGS, issued)),
    );
    notLookedAt.push(...hiddenOptions(footholds));
  } finally {
    await client.query("ROLLBACK").catch(() => undefined);
  }
  return { footholds: sorted(footholds), notLookedAt, unknownKinds };
}

/** The path first: nothing that others have made in the database is to be found by a name that we do not qualify. */
async function begin(client: Client): Promise<void> {
  await client.query("BEGIN READ ONLY");
  for (const [name, value] of [
    ["search_path", "pg_catalog, pg_temp"],
    ["lock_timeout", LOCK_TIMEOUT],
    ["statement_timeout", `${QUERY_TIMEOUT_MS}ms`],
    // Rows that a policy hides from us are an error, not an answer.
    ["row_security", "off"],
    // Times and names are to be written alike whoever looks.
    ["TimeZone", "UTC"],
    ["quote_all_identifiers", "off"],
  ]) {
    await client.query(`SELECT pg_catalog.set_config($1, $2, true)`, [name, value]);
  }
}

async function serverOf(client: Client): Promise<{ readonly version: number; readonly owner: string }> {
  const [row] = await rowsOf<{ version: string; owner: string }>(
    client,
    `SELECT pg_catalog.current_setting('server_version_num') AS version,
       pg_catalog.pg_get_userbyid(d.datdba)::pg_catalog.text AS owner
     FROM pg_catalog.pg_database AS d WHERE d.datname ${EQ} pg_catalog.current_database()`,
    [],
  );
  return { version: Math.floor(Number(row?.version) / 10_000), owner: row?.owner ?? "" };
}

async function isCronThere(client: Client): Promise<boolean> {
  return (await rowsOf(client, CRON_IS_GENUINE, [])).length > 0;
}

async function rowsOf<R extends object>(client: Client, sql: string, values: unknown[]): Promise<R[]> {
  const config = { text: sql, values, query_timeout: QUERY_TIMEOUT_MS };
  return (await client.query<R>(config)).rows;
}

function footholdOf({ kind, identity, owner, detail, hash }: Seen): Foothold {
  return {
    ...{ kind, identity },
    ...(owner !== null && { owner }),
    detail: detail.filter((part) => part !== null).join("; "),
    ...(hash !== null && { hash }),
  };
}

/** Objects of the environment's own roles are no finding for that. */
function isOwned({ kind, owner = "" }: Foothold, own: ReadonlySet<string>): boolean {
  return kind === "ownership" && own.has(owner);
}

function hiddenOptions(footholds: readonly Foothold[]): string[] {
  return footholds
    .filter(({ kind, hash }) => kind === "user mapping" && hash === undefined)
    .map(
      ({ identity }) => `Not looked at: the options of the user mapping ${identity}, hidden from this login.`,
    );
}
