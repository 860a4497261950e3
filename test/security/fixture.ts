import { LocalBackend, TerraformStack } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { Construct } from "constructs";
import {
  Access,
  DatabaseSecretsEngine,
  Duration,
  ManagerRole,
  PostgresDatabase,
  Revocation,
  WriteOnlySecret,
} from "../../lib";
import type { Sandbox } from "../../sandbox/sandbox";
import { asSuperuser, connect, issue } from "../e2e/credential";
import { Workspace } from "../e2e/workspace";
import type { Level } from "./statements";

export const ENGINE = "matrix/database";
export const DATABASE = "matrix";
/** Another database of the same login, with a base role of its own. */
export const OTHER = "matrix_other";
/** How long a session may be idle in `drain`, in the fixture. */
export const IDLE_SECONDS = 2;

export type Mode = "terminate" | "drain";
export const MODES: readonly Mode[] = ["terminate", "drain"];
export const BASE_ROLES: Readonly<Record<Level, string>> = {
  owner: "matrix_owner",
  "read-write": "matrix_writer",
  "read-only": "matrix_reader",
};

export const roleOf = (level: Level, mode: Mode) => `${level}-${mode}`;
export const credsPath = (role: string) => `${ENGINE}/creds/${role}`;

/** Every preset: each access level with each kind of revocation, on one database, with one login that is no superuser. */
export class MatrixStack extends TerraformStack {
  constructor(scope: Construct, { env }: Sandbox) {
    super(scope, "matrix");
    new LocalBackend(this, { path: "terraform.tfstate" });
    new VaultProvider(this, "VaultProvider", { address: env.VAULT_ADDR });
    new PostgresqlProvider(this, "PostgresqlProvider", {
      host: env.PGHOST,
      port: Number(env.PGPORT),
      username: env.PGUSER,
      sslmode: "disable",
      superuser: false,
    });
    const copied = { deletionProtection: false, template: "template1" };
    const database = new PostgresDatabase(this, "Database", { ...copied, name: DATABASE });
    database.addSchema("app");
    database.addSchema("closed");
    const schemas = ["app"];
    const bases = {
      owner: database.addBaseRole("owner", { access: Access.owner({ schemas }) }),
      "read-write": database.addBaseRole("writer", { access: Access.readWrite({ schemas }) }),
      "read-only": database.addBaseRole("reader", { access: Access.readOnly({ schemas }) }),
    };
    database.addBaseRole("sibling", { access: Access.readOnly({ schemas: ["closed"] }) });
    const connection = new DatabaseSecretsEngine(this, "Secrets", { path: ENGINE }).addPostgresConnection(
      "matrix",
      {
        database,
        endpoint: { host: env.PGHOST ?? "", port: Number(env.PGPORT), sslMode: "disable" },
        manager: new ManagerRole(this, "Manager", {
          name: "matrix_manager",
          password: WriteOnlySecret.fromVariable(this, "manager_password"),
        }),
      },
    );
    const timeout = Duration.seconds(IDLE_SECONDS);
    const revocations = {
      terminate: Revocation.terminate(),
      drain: Revocation.drain({ idleSessionTimeout: timeout, idleInTransactionTimeout: timeout }),
    };
    for (const [level, baseRole] of Object.entries(bases)) {
      for (const [mode, revocation] of Object.entries(revocations)) {
        connection.addDynamicRole(roleOf(level as Level, mode as Mode), { baseRole, revocation });
      }
    }
    new PostgresDatabase(this, "Other", { ...copied, name: OTHER }).addBaseRole("reader", {
      access: Access.readOnly(),
    });
  }
}

/** Deploys the stack, and has an owner make a table; the superuser, what nobody shall reach. */
export async function deployMatrix(sandbox: Sandbox): Promise<void> {
  await new Workspace(sandbox, "matrix", (scope) => new MatrixStack(scope, sandbox)).apply();
  const owner = await connect(sandbox, await issue(sandbox, credsPath("owner-terminate")), DATABASE);
  await owner.query("CREATE TABLE app.t (id serial PRIMARY KEY, x text)");
  await owner.end();
  await asSuperuser(sandbox, "CREATE TABLE closed.t (x text)", DATABASE);
  await asSuperuser(sandbox, "SELECT lo_create(4242)", DATABASE);
}
