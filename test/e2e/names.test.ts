import fc from "fast-check";
import type { Client } from "pg";
import { quoteIdentifier, quoteLiteral, Revocation } from "../../lib";
import { postgresRoleName } from "../../lib/names";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { issue, revoke } from "./credential";

jest.setTimeout(120_000);

let sandbox: Sandbox;
let superuser: Client;

beforeAll(async () => {
  sandbox = await startSandbox({ terraform: false });
  superuser = await sandbox.postgres.connect();
  const vault = sandbox.vault.client();
  await vault.write("sys/mounts/names", { type: "database" });
  await vault.write("names/config/c", {
    plugin_name: "postgresql-database-plugin",
    allowed_roles: "*",
    connection_url: `postgresql://{{username}}:{{password}}@${sandbox.postgres.host}:${sandbox.postgres.port}/postgres?sslmode=disable`,
    username: sandbox.postgres.superuser,
    password: sandbox.postgres.superuserPassword,
  });
});
afterAll(async () => {
  await superuser?.end();
  await sandbox?.stop();
});

/** Any text that PostgreSQL can hold, with what is special in SQL, templates and Unicode more often than by chance. */
const text = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 4 }) },
      fc.constantFrom(
        "'",
        '"',
        "\\",
        ";",
        "--",
        "/*",
        "$$",
        "$body$",
        "{{name}}",
        "${",
        "%",
        "\n",
        "END",
        "é",
        "𝕏",
      ),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => parts.join("").replaceAll("\u0000", ""))
  .filter((value) => value !== "");

test("a quoted literal is the text itself, whatever it holds", async () => {
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      const { rows } = await superuser.query<{ v: string }>(`SELECT ${quoteLiteral(value)} AS v`);
      return rows[0]?.v === value;
    }),
    { numRuns: 1000 },
  );
});

test("a quoted identifier is the name itself, whatever it holds", async () => {
  await fc.assert(
    fc.asyncProperty(
      text.filter((value) => Buffer.byteLength(value) <= 63),
      async (name) => {
        const { fields } = await superuser.query(`SELECT 1 AS ${quoteIdentifier(name)}`);
        return fields[0]?.name === name;
      },
    ),
    { numRuns: 1000 },
  );
});

test("every base role name is either refused or handed out and taken back by the engine", async () => {
  let accepted = 0;
  const modes = fc.constantFrom(Revocation.terminate(), Revocation.drain());
  await fc.assert(
    fc.asyncProperty(text, modes, fc.constantFrom("owner", "read-only"), async (name, revocation, level) => {
      try {
        postgresRoleName("base role", name);
      } catch {
        return true;
      }
      accepted++;
      const vault = sandbox.vault.client();
      const base = quoteIdentifier(name);
      await superuser.query(`CREATE ROLE ${base}`);
      try {
        const statements = revocation.statementsFor(name, level);
        await vault.write("names/roles/r", {
          db_name: "c",
          creation_statements: statements.creation,
          renew_statements: statements.renewal,
          revocation_statements: statements.revocation,
        });
        const credential = await issue(sandbox, "names/creds/r");
        const member = await superuser.query<{ is: boolean }>("SELECT pg_has_role($1, $2, 'USAGE') AS is", [
          credential.username,
          name,
        ]);
        await revoke(sandbox, credential);
        const left = await superuser.query("SELECT FROM pg_roles WHERE rolname = $1", [credential.username]);
        return member.rows[0]?.is === true && left.rowCount === 0;
      } finally {
        await superuser.query(`DROP ROLE ${base}`);
      }
    }),
    { numRuns: 250 },
  );
  expect(accepted).toBeGreaterThan(25);
});
