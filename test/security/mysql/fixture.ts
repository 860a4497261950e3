// A MariaDB and the engine, for the tests of revocation on it.
import type { TerraformStack } from "cdktf";
import type { Connection } from "mysql2/promise";
import {
  DatabaseSecretsEngine,
  MysqlAccess,
  WriteOnlySecret,
  type MysqlConnectionOptions,
  type MysqlDynamicRoleOptions,
} from "../../../lib";
import type { MariadbOptions, MariadbServer } from "../../../sandbox/mariadb-server";
import { startSandbox, type Sandbox } from "../../../sandbox/sandbox";
import { blocksOf } from "../../docs/blocks";
import { issue, revoke, type Credential } from "../../e2e/credential";
import { asRoot, loginOf, procedureForMysql, sessionsOf, startMariadb, usersLike } from "../../e2e/mariadb";
import { one, synthesize } from "../../unit/synthesis";

/** The client has another name for it. */
export const ACCOUNT_LOCKED = 4151;
export const MANAGER = "credentials_manager";
export const access = MysqlAccess.readWrite({ databases: ["shop"] });
export const OWN = ["CREATE USER '{{name}}'@'127.0.0.1' IDENTIFIED BY '{{password}}'"];

/** SQL of docs/mysql.md: the rights of who comes from an earlier release, and prepared transactions. */
export const [UPGRADE_RIGHTS = "", PREPARED_TRANSACTIONS = ""] = blocksOf("docs/mysql.md")
  .filter(({ language }) => language === "sql")
  .map(({ text }) => text);

export class RevocationFixture {
  private started: { readonly sandbox: Sandbox; readonly server: MariadbServer } | undefined;

  async start(options?: MariadbOptions): Promise<void> {
    const sandbox = await startSandbox({ terraform: false });
    const server = await startMariadb(sandbox, options);
    this.started = { sandbox, server };
    await server.run(procedureForMysql());
    await server.run(`
      CREATE DATABASE shop;
      CREATE TABLE shop.orders (id int PRIMARY KEY, word text);
      INSERT INTO shop.orders VALUES (1, 'one'), (2, 'two');
      GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER, CREATE VIEW, CREATE ROUTINE, EVENT, LOCK TABLES, EXECUTE
        ON shop.* TO ${MANAGER}@\`%\` WITH GRANT OPTION;`);
    await this.vault().write("sys/mounts/m", { type: "database" });
    await this.configure("c");
  }

  async stop(): Promise<void> {
    await this.started?.sandbox.stop();
  }

  get sandbox(): Sandbox {
    return this.running.sandbox;
  }

  get server(): MariadbServer {
    return this.running.server;
  }

  readonly vault = () => this.sandbox.vault.client();
  readonly root = (sql: string) => asRoot(this.server, sql);
  readonly read = () => issue(this.sandbox, "m/creds/r");
  readonly revoke = (credential: Credential) => revoke(this.sandbox, credential);
  readonly login = ({ username, password }: Credential): Promise<Connection> =>
    this.server.connectAs(username, password);

  /** Writes a connection as a deployment does; a password that has not been rotated. */
  readonly configure = async (name: string, changes: Record<string, unknown> = {}): Promise<void> => {
    const made = one(
      synthesize((stack) => void this.connection(stack, name)),
      "vault_database_secret_backend_connection",
    ) as { mysql: Record<string, unknown> };
    await this.vault().write(`m/config/${name}`, {
      plugin_name: "mysql-database-plugin",
      allowed_roles: "*",
      connection_url: made.mysql.connection_url,
      tls_ca: this.server.caCertificate,
      username: MANAGER,
      password: this.sandbox.managerPassword,
      username_template: made.mysql.username_template,
      ...changes,
    });
  };

  /** Writes the role `r` as a deployment does. */
  readonly deploy = async (
    options: MysqlDynamicRoleOptions,
    on: Partial<MysqlConnectionOptions> = {},
    name = "c",
  ): Promise<void> => {
    const role = one(
      synthesize((stack) => void this.connection(stack, name, on).addDynamicRole("r", options)),
      "vault_database_secret_backend_role",
    );
    await this.vault().write("m/roles/r", {
      db_name: role.db_name,
      creation_statements: role.creation_statements,
      revocation_statements: role.revocation_statements,
      default_ttl: role.default_ttl,
      max_ttl: role.max_ttl,
    });
  };

  /** A credential whose user has these privileges on the database; its revocation is the preset's. */
  readonly readWith = async (privileges: string): Promise<Credential> => {
    await this.vault().write("m/roles/r", {
      db_name: "c",
      creation_statements: [
        "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'",
        `GRANT ${privileges} ON shop.* TO '{{name}}'@'%'`,
      ],
    });
    const credential = await this.read();
    await this.deploy({ access });
    return credential;
  };

  readonly expectGone = async (credential: Credential): Promise<void> => {
    const { username, password } = credential;
    expect(await sessionsOf(this.server, username)).toBe(0);
    expect(await usersLike(this.server, username)).toEqual([]);
    expect(await loginOf(this.server, username, password)).toBe("ER_ACCESS_DENIED_ERROR");
  };

  /** Neither logs in nor acts any more, though its revocation failed. */
  readonly expectLocked = async (credential: Credential): Promise<void> => {
    expect(await sessionsOf(this.server, credential.username)).toBe(0);
    expect(await usersLike(this.server, credential.username)).toEqual([credential.username]);
    await expect(this.login(credential)).rejects.toMatchObject({ errno: ACCOUNT_LOCKED });
  };

  private get running() {
    if (this.started === undefined) throw new Error("the fixture has not been started");
    return this.started;
  }

  private connection(stack: TerraformStack, name: string, options: Partial<MysqlConnectionOptions> = {}) {
    const { host, port, caCertificate } = this.server;
    return new DatabaseSecretsEngine(stack, "Secrets", { path: "m" }).addMysqlConnection(name, {
      server: "mariadb",
      endpoint: { host, port, caCertificate },
      username: MANAGER,
      password: WriteOnlySecret.fromVariable(stack, "password"),
      ...options,
    });
  }
}
