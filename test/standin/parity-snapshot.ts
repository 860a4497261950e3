// What stands in Vault and in PostgreSQL, in a form that two deployments of the same configuration agree in.
import { Client, type ClientConfig } from "pg";

export interface ParityServers {
  readonly vaultAddress: string;
  /** With all rights: nothing is to be overlooked for want of them. */
  readonly vaultToken: string;
  readonly postgres: Readonly<ClientConfig>;
}

export interface ParitySnapshot {
  readonly vault: Readonly<Record<string, unknown>>;
  readonly postgres: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
}

/** Of the names that begin with the prefix, and in databases of that prefix, everything. */
export async function takeParitySnapshot(servers: ParityServers, prefix: string): Promise<ParitySnapshot> {
  return { vault: await vaultSnapshot(servers, prefix), postgres: await postgresSnapshot(servers, prefix) };
}

type Answer = Record<string, unknown>;

/** Drawn anew by the server for every mount and role, or the time at which it was made. */
const RANDOM = new Set(["accessor", "uuid", "role_id", "local_secret_ids", "last_vault_rotation"]);

async function vaultSnapshot(servers: ParityServers, prefix: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  const read = (path: string) => vaultCall(servers, "GET", path);
  const keep = async (path: string) => {
    found[path] = withoutRandom(await read(path));
  };
  const below = async (path: string) => {
    const answer = await vaultCall(servers, "LIST", path);
    for (const name of (answer?.keys ?? []) as string[]) {
      await keep(`${path}/${name}`);
    }
  };
  for (const [listing, tune, kinds] of [
    ["sys/mounts", "sys/mounts/", ["config", "roles", "static-roles"]],
    ["sys/auth", "sys/mounts/auth/", []],
  ] as const) {
    const mounts = (await read(listing)) ?? {};
    for (const path of Object.keys(mounts).filter((each) => each.startsWith(prefix))) {
      found[`${listing}/${path}`] = withoutRandom(mounts[path]);
      await keep(`${tune}${path}tune`);
      if ((mounts[path] as Answer).type === "kv") {
        for (const secret of ["config", "password"].map((name) => `${path}data/app/database/${name}`)) {
          // Beside the content stand the time and the number of the version.
          found[secret] = (await read(secret))?.data;
        }
        continue;
      }
      for (const kind of kinds) {
        await below(`${path}${kind}`);
      }
      if (listing === "sys/auth") {
        await below(`auth/${path}role`);
      }
    }
  }
  const quotas = await vaultCall(servers, "LIST", "sys/quotas/rate-limit");
  for (const name of ((quotas?.keys ?? []) as string[]).filter((each) => each.startsWith(prefix))) {
    await keep(`sys/quotas/rate-limit/${name}`);
  }
  for (const [name, device] of Object.entries((await read("sys/audit")) ?? {})) {
    if (name.startsWith(prefix)) found[`audit device ${name}`] = device;
  }
  const policies = await vaultCall(servers, "LIST", "sys/policies/acl");
  for (const name of ((policies?.keys ?? []) as string[]).filter((each) => each.startsWith(prefix))) {
    found[`policy ${name}`] = (await read(`sys/policies/acl/${name}`))?.policy;
  }
  return found;
}

async function vaultCall(servers: ParityServers, method: string, path: string): Promise<Answer | undefined> {
  const response = await fetch(`${servers.vaultAddress}/v1/${path}`, {
    method,
    headers: { "X-Vault-Token": servers.vaultToken },
  });
  if (response.status === 404) {
    return undefined;
  }
  if (!response.ok) {
    throw new Error(`${method} ${path} failed with ${response.status}: ${await response.text()}`);
  }
  return ((await response.json()) as { data?: Answer }).data;
}

function withoutRandom(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !RANDOM.has(name))
      .map(([name, inner]) => [name, withoutRandom(inner)]),
  );
}

/** Queries of a whole server, with the prefix as their parameter. */
const OF_THE_SERVER: Readonly<Record<string, string>> = {
  roles: `SELECT to_jsonb(r) - 'oid' AS role, left(a.rolpassword, 5) AS password_kind
    FROM pg_roles r JOIN pg_authid a ON a.oid = r.oid WHERE starts_with(r.rolname, $1) ORDER BY r.rolname`,
  // The grantor says who did it, and has to be the same too.
  memberships: `SELECT roleid::regrole::text AS role, member::regrole::text AS member, grantor::regrole::text,
      to_jsonb(m) - 'oid' - 'roleid' - 'member' - 'grantor' AS options
    FROM pg_auth_members m
    WHERE starts_with(roleid::regrole::text, $1) OR starts_with(member::regrole::text, $1) ORDER BY 1, 2, 3, 4`,
  databases: `SELECT datname, datdba::regrole::text AS owner, pg_encoding_to_char(encoding) AS encoding,
      datcollate, datctype, datistemplate, datallowconn, datconnlimit, datacl::text AS acl
    FROM pg_database WHERE starts_with(datname, $1) ORDER BY datname`,
};

const OF_A_DATABASE: Readonly<Record<string, string>> = {
  schemas: `SELECT nspname, nspowner::regrole::text AS owner, nspacl::text AS acl FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY nspname`,
  objects: `SELECT relnamespace::regnamespace::text AS schema, relname, relkind::text,
      relowner::regrole::text AS owner, relacl::text AS acl FROM pg_class
    WHERE relnamespace::regnamespace::text !~ '^pg_' AND relnamespace::regnamespace::text <> 'information_schema'
    ORDER BY 1, 2`,
  default_acls: `SELECT defaclrole::regrole::text AS owner, COALESCE(nspname, '') AS schema, defaclobjtype::text,
      defaclacl::text AS acl FROM pg_default_acl LEFT JOIN pg_namespace n ON n.oid = defaclnamespace
    ORDER BY 1, 2, 3`,
};

async function postgresSnapshot(
  servers: ParityServers,
  prefix: string,
): Promise<Record<string, Record<string, unknown>[]>> {
  const found: Record<string, Record<string, unknown>[]> = {};
  const collect = async (
    database: string | undefined,
    queries: Readonly<Record<string, string>>,
    parameters: string[],
  ) => {
    await withPostgres(servers, database, async (client) => {
      for (const [name, sql] of Object.entries(queries)) {
        const key = database === undefined ? name : `${name} of ${database}`;
        found[key] = (await client.query<Record<string, unknown>>(sql, parameters)).rows.map(withSortedAcl);
      }
    });
  };
  await collect(undefined, OF_THE_SERVER, [prefix]);
  for (const { datname } of found.databases ?? []) {
    await collect(String(datname), OF_A_DATABASE, []);
  }
  return found;
}

export async function withPostgres<T>(
  servers: ParityServers,
  database: string | undefined,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ ...servers.postgres, ...(database === undefined ? {} : { database }) });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The order of an access list's items is that of their granting, and means nothing. */
function withSortedAcl(row: Record<string, unknown>): Record<string, unknown> {
  return typeof row.acl === "string"
    ? {
        ...row,
        acl: row.acl
          .replace(/^\{|\}$/g, "")
          .split(",")
          .sort(),
      }
    : row;
}
