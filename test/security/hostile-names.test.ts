import fc from "fast-check";
import type { Client } from "pg";
import {
  checkStatements,
  DatabaseSecretsEngine,
  DynamicRole,
  ManagerRole,
  Policy,
  PostgresDatabase,
  quoteIdentifier,
  quoteLiteral,
  Revocation,
  WriteOnlySecret,
  type PostgresEndpoint,
} from "../../lib";
import { mountPath, postgresDatabaseName, postgresRoleName, vaultName } from "../../lib/names";
import { checkPostgresUsernameTemplate } from "../../lib/vault/username-template";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { synthesize, one } from "../unit/synthesis";
import { connect, issue, revoke, type Credential } from "../e2e/credential";
import { cases, hostileText, sqlText, unlessRefused } from "./hostile-values";

jest.setTimeout(900_000);

let sandbox: Sandbox;
let superuser: Client;

beforeAll(async () => {
  sandbox = await startSandbox({ terraform: false });
  superuser = await sandbox.postgres.connect();
  const vault = sandbox.vault.client();
  await vault.write("sys/mounts/names", { type: "database" });
  await configure({});
});
afterAll(async () => {
  await superuser?.end();
  await sandbox?.stop();
});

/** The URL as it is synthesized. */
function urlOf(endpoint: PostgresEndpoint, database: string): string {
  const stack = synthesize((scope) => {
    new DatabaseSecretsEngine(scope, "Engine").addPostgresConnection("c", {
      database: PostgresDatabase.fromName(scope, "Database", database),
      manager: ManagerRole.fromName(scope, "Manager", "manager"),
      password: WriteOnlySecret.fromVariable(scope, "password"),
      endpoint,
    });
  });
  const { postgresql } = one(stack, "vault_database_secret_backend_connection");
  return (postgresql as { connection_url: string }).connection_url;
}

/** A connection with what a property is about, as the superuser. */
async function configure({ database = "postgres", template }: { database?: string; template?: string }) {
  const { host, port, superuser: username, superuserPassword: password } = sandbox.postgres;
  await sandbox.vault.client().write("names/config/c", {
    plugin_name: "postgresql-database-plugin",
    allowed_roles: "*",
    connection_url: urlOf({ host, port, sslMode: "disable" }, database),
    username_template: template ?? "",
    username,
    password,
  });
}

/** Issues by a role with these statements, has the credential looked at, and revokes it. */
async function used(
  statements: { readonly creation: string[]; readonly renewal: string[]; readonly revocation: string[] },
  look: (credential: Credential) => Promise<void>,
): Promise<void> {
  await sandbox.vault.client().write("names/roles/r", {
    db_name: "c",
    creation_statements: statements.creation,
    renew_statements: statements.renewal,
    revocation_statements: statements.revocation,
  });
  const credential = await issue(sandbox, "names/creds/r");
  try {
    await look(credential);
  } finally {
    await revoke(sandbox, credential);
  }
}

const canary = async () => {
  const { rows } = await superuser.query<{ state: string }>(
    `SELECT (SELECT count(*) FROM canary) || ' ' || pg_get_userbyid(relowner) || ' ' || coalesce(relacl::text, '-')
       AS state FROM pg_class WHERE relname = 'canary'`,
  );
  return rows[0]?.state;
};
const roles = async () => {
  const { rows } = await superuser.query<{ rolname: string }>("SELECT rolname FROM pg_roles ORDER BY 1");
  return rows.map(({ rolname }) => rolname);
};
let before: unknown;
beforeAll(async () => {
  await superuser.query("GRANT CONNECT ON DATABASE postgres TO PUBLIC");
  await superuser.query("CREATE ROLE base");
  await superuser.query("CREATE TABLE canary AS SELECT generate_series(1, 3)");
  before = [await canary(), await roles()];
});
/** After each property: what has nothing to do with it stands, and nothing of it is left. */
afterEach(async () => expect([await canary(), await roles()]).toEqual(before));

test("a quoted literal is the text itself, whatever it holds", async () => {
  await fc.assert(
    fc.asyncProperty(sqlText, async (value) => {
      const { rows } = await superuser.query<{ v: string }>(`SELECT ${quoteLiteral(value)} AS v`);
      return rows[0]?.v === value;
    }),
    cases(300, 5000),
  );
});

test("a quoted identifier is the name itself, whatever it holds", async () => {
  await fc.assert(
    fc.asyncProperty(
      sqlText.filter((value) => Buffer.byteLength(value) <= 63),
      async (name) => {
        const { fields } = await superuser.query(`SELECT 1 AS ${quoteIdentifier(name)}`);
        return fields[0]?.name === name;
      },
    ),
    cases(300, 5000),
  );
});

test("every base role name is either refused or handed out and taken back by the engine", async () => {
  let accepted = 0;
  const modes = fc.constantFrom(Revocation.terminate(), Revocation.drain());
  await fc.assert(
    fc.asyncProperty(
      sqlText,
      modes,
      fc.constantFrom("owner", "read-only"),
      async (name, revocation, level) => {
        if (unlessRefused(() => postgresRoleName("base role", name)) === undefined) return;
        accepted++;
        const base = quoteIdentifier(name);
        await superuser.query(`CREATE ROLE ${base}`);
        try {
          await used(revocation.statementsFor(name, level), async (credential) => {
            await (await connect(sandbox, credential, "postgres")).end();
            const { rows } = await superuser.query<{ is: boolean }>(
              "SELECT pg_has_role($1, $2, 'USAGE') AS is",
              [credential.username, name],
            );
            expect(rows[0]?.is).toBe(true);
          });
        } finally {
          await superuser.query(`DROP ROLE ${base}`);
        }
      },
    ),
    cases(60, 1500),
  );
  expect(accepted).toBeGreaterThan(15);
});

test("every template of user names is either refused, or gives logins that end", async () => {
  const around = fc.oneof(sqlText, fc.stringMatching(/^[A-Za-z_-]{0,9}$/));
  const template = fc.tuple(
    around,
    fc.constantFrom("{{random 20}}", "{{.RoleName}}-{{uuid}}", "{{random 70}}"),
    around,
  );
  const modes = fc.constantFrom(Revocation.terminate(), Revocation.drain());
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(
      template.map((parts) => parts.join("")),
      modes,
      async (text, revocation) => {
        if (unlessRefused(() => checkPostgresUsernameTemplate(text)) === undefined) return;
        accepted++;
        await configure({ template: text });
        await used(revocation.statementsFor("base", "read-only"), async (credential) => {
          await used(revocation.statementsFor("base", "owner"), (second) => {
            expect(second.username).not.toBe(credential.username);
            return Promise.resolve();
          });
          await (await connect(sandbox, credential, "postgres")).end();
        });
        expect(await roles()).toEqual((before as unknown[])[1]);
      },
    ),
    cases(60, 1500),
  );
  await configure({});
  expect(accepted).toBeGreaterThan(5);
});

test("every database name is either refused, or the one that the engine works in", async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(sqlText, async (name) => {
      if (unlessRefused(() => postgresDatabaseName(name)) === undefined) return;
      accepted++;
      await superuser.query(`CREATE DATABASE ${quoteIdentifier(name)} STRATEGY file_copy`);
      try {
        await configure({ database: name });
        const marks = `COMMENT ON ROLE "{{name}}" IS 'made'; CREATE TABLE public.made (id int)`;
        const statements = Revocation.terminate().statementsFor("pg_monitor", "read-only");
        await used(
          { ...statements, creation: [...statements.creation, ...marks.split("; ")] },
          async (credential) => {
            const client = await connect(sandbox, credential, name);
            const { rows } = await client.query<{ is: boolean }>(
              "SELECT to_regclass('public.made') IS NOT NULL AS is",
            );
            await client.end();
            expect(rows[0]?.is).toBe(true);
          },
        );
      } finally {
        await configure({});
        await superuser.query(`DROP DATABASE ${quoteIdentifier(name)} WITH (FORCE)`);
      }
    }),
    cases(15, 300),
  );
  expect(accepted).toBeGreaterThan(2);
});

test("a text in SQL of one's own arrives as it is, or the engine refuses to issue and leaves nothing", async () => {
  const { creation, renewal, revocation } = Revocation.terminate().statementsFor("pg_monitor", "read-only");
  let arrived = 0;
  await fc.assert(
    fc.asyncProperty(sqlText, async (text) => {
      const own = [...creation, `COMMENT ON ROLE "{{name}}" IS ${quoteLiteral(text)}`];
      if (unlessRefused(() => checkStatements("r", "creation", own)) === undefined) return;
      let comment: string | undefined;
      const look = async ({ username }: Credential) => {
        const { rows } = await superuser.query<{ text: string }>(
          "SELECT shobj_description(oid, 'pg_authid') AS text FROM pg_roles WHERE rolname = $1",
          [username],
        );
        comment = rows[0]?.text;
        expect(comment).toBe(text.replaceAll("{{name}}", username));
        arrived++;
      };
      try {
        await used({ creation: own, renewal, revocation }, look);
      } catch (error) {
        // The engine splits at a semicolon.
        if (!text.includes(";") || comment !== undefined) throw error;
      }
      expect(await roles()).toEqual((before as unknown[])[1]);
    }),
    cases(40, 1000),
  );
  expect(arrived).toBeGreaterThan(10);
});

test("every engine path and role name is either refused, or opened by its policy and nothing near it", async () => {
  const vault = sandbox.vault.client();
  let accepted = 0;
  const segment = fc.stringMatching(/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,8}[A-Za-z0-9_])?$/);
  const name = fc.oneof(
    { weight: 1, arbitrary: hostileText },
    {
      weight: 3,
      arbitrary: fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
    },
  );
  await fc.assert(
    fc.asyncProperty(
      name,
      fc.oneof({ weight: 1, arbitrary: hostileText }, { weight: 3, arbitrary: segment }),
      async (path, role) => {
        const names = unlessRefused(() => [mountPath("secrets engine", path), vaultName("role", role)]);
        const stack =
          names &&
          unlessRefused(() =>
            synthesize((scope) => {
              const engine = DatabaseSecretsEngine.fromPath(scope, "Engine", path);
              void DynamicRole.fromName(scope, "Role", { engine, name: role }).readPolicy;
            }),
          );
        if (stack === undefined) return;
        accepted++;
        await vault.write(`sys/mounts/${path}`, { type: "database" });
        try {
          const { policy } = one(stack, "vault_policy");
          await vault.write("sys/policies/acl/hostile", { policy });
          const { auth } = await vault.write("auth/token/create", {
            policies: ["hostile"],
            no_default_policy: true,
          });
          const exact = `${path}/creds/${role}`;
          const near = [
            `${exact}x`,
            `${exact}/x`,
            exact.slice(0, -1),
            `x${exact}`,
            `x/${exact}`,
            path,
            `${path}/`,
          ];
          near.push(
            `${path}/config/${role}`,
            `${path}/roles/${role}`,
            `${path}/static-creds/${role}`,
            `${path}/creds`,
          );
          near.push(
            `${path}/creds/`,
            exact.toUpperCase(),
            exact.toLowerCase(),
            exact.replaceAll(/[._-]/g, "x"),
          );
          const { data } = await vault.write("sys/capabilities", {
            token: auth?.client_token,
            paths: [...new Set([exact, ...near])],
          });
          for (const other of near)
            if (other !== exact) expect([other, data?.[other]]).toEqual([other, ["deny"]]);
          expect(data?.[exact]).toEqual(["read"]);
          await vault.write("auth/token/revoke", { token: auth?.client_token });
        } finally {
          await vault.send({ method: "DELETE", path: `sys/mounts/${path}` });
        }
      },
    ),
    cases(60, 1500),
  );
  expect(accepted).toBeGreaterThan(10);
});

test("every policy name is either refused, or that of a policy of its own", async () => {
  const vault = sandbox.vault.client();
  const policies = async () => {
    const { body } = await vault.send({ method: "LIST", path: "sys/policies/acl" });
    return [...(body.data?.keys as string[])].sort();
  };
  const usual = await policies();
  const byDefault = (await vault.read("sys/policies/acl/default")).data?.policy;
  await fc.assert(
    fc.asyncProperty(fc.oneof(hostileText, fc.stringMatching(/^[a-z0-9_./@-]{1,12}$/)), async (name) => {
      const stack = unlessRefused(() =>
        synthesize((scope) => {
          new Policy(scope, "Policy", { name, rules: [{ path: "nowhere", capabilities: ["read"] }] });
        }),
      );
      if (stack === undefined) return;
      await vault.write(`sys/policies/acl/${name}`, { policy: one(stack, "vault_policy").policy });
      expect(await policies()).toEqual([...usual, name].sort());
      await vault.send({ method: "DELETE", path: `sys/policies/acl/${name}` });
    }),
    cases(60, 1500),
  );
  expect((await vault.read("sys/policies/acl/default")).data?.policy).toBe(byDefault);
});
