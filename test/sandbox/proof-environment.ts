import type { Client } from "pg";
import {
  assumingCreation,
  drainingRevocation,
  membershipCreation,
  renewal,
  terminatingRevocation,
  type RoleStatements,
} from "../../lib/statements";
import { Duration } from "../../lib";
import type { Sandbox } from "../../sandbox/sandbox";
import type { EnvironmentOutputs, RoleOutput } from "../../stacks/outputs";

const DATABASE = "proof_test";
const APPROLE_MOUNT = "proof-test/approle";
const MOUNT = "proof-test/database";

/** A role to declare: what it says of itself, and the SQL that it really has. */
export interface DeclaredRole {
  readonly access: string;
  readonly baseRole: string;
  readonly revocation: "terminate" | "drain";
  readonly statements: RoleStatements;
}

export const timeouts = { idleSession: Duration.minutes(1), idleInTransaction: Duration.minutes(1) };

export const ownerRole: DeclaredRole = {
  access: "owner",
  baseRole: "proof_owner",
  revocation: "terminate",
  statements: {
    creation: assumingCreation("proof_owner"),
    renewal: renewal(),
    revocation: terminatingRevocation("proof_owner"),
  },
};

export const writerRole: DeclaredRole = {
  access: "read-write",
  baseRole: "proof_writer",
  revocation: "terminate",
  statements: {
    creation: membershipCreation("proof_writer"),
    renewal: renewal(),
    revocation: terminatingRevocation("proof_writer"),
  },
};

export const drainedReaderRole: DeclaredRole = {
  access: "read-only",
  baseRole: "proof_reader",
  revocation: "drain",
  statements: {
    creation: assumingCreation("proof_reader", timeouts),
    renewal: renewal(),
    revocation: drainingRevocation("proof_reader"),
  },
};

/**
 * The PostgreSQL side, made with plain SQL, so that roles can be made wrong on purpose in ways that the library refuses.
 */
export async function makeDatabase(sandbox: Sandbox): Promise<void> {
  const server = await sandbox.postgres.connect();
  const password = server.escapeLiteral(sandbox.managerPassword);
  for (const sql of [
    `CREATE DATABASE ${DATABASE}`,
    `REVOKE ALL ON DATABASE ${DATABASE} FROM PUBLIC`,
    "CREATE ROLE proof_owner",
    "CREATE ROLE proof_writer",
    "CREATE ROLE proof_reader",
    `CREATE ROLE proof_manager LOGIN CREATEROLE PASSWORD ${password}`,
    "GRANT proof_owner, proof_writer, proof_reader TO proof_manager WITH ADMIN OPTION",
    `GRANT CONNECT ON DATABASE ${DATABASE} TO proof_manager, proof_owner, proof_writer, proof_reader`,
  ]) {
    await server.query(sql);
  }
  await server.end();
  const database = await sandbox.postgres.connect(DATABASE);
  await database.query(`
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    CREATE SCHEMA app;
    GRANT USAGE, CREATE ON SCHEMA app TO proof_owner;
    GRANT USAGE ON SCHEMA app TO proof_writer, proof_reader;
    ALTER DEFAULT PRIVILEGES FOR ROLE proof_owner IN SCHEMA app
      GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO proof_writer;
    ALTER DEFAULT PRIVILEGES FOR ROLE proof_owner IN SCHEMA app GRANT SELECT ON TABLES TO proof_reader;`);
  await database.end();
}

/** The Vault side: one AppRole per role, which may read that role, and whatever `alsoReads` adds to it. */
export async function makeEnvironment(
  sandbox: Sandbox,
  roles: Readonly<Record<string, DeclaredRole>>,
  alsoReads: Readonly<Record<string, string>> = {},
): Promise<EnvironmentOutputs> {
  const vault = sandbox.vault.client();
  const { host, port } = sandbox.postgres;
  await vault.delete(`sys/mounts/${MOUNT}`);
  await vault.delete(`sys/auth/${APPROLE_MOUNT}`);
  await vault.write(`sys/mounts/${MOUNT}`, { type: "database" });
  await vault.write(`sys/auth/${APPROLE_MOUNT}`, { type: "approle" });
  await vault.write(`${MOUNT}/config/${DATABASE}`, {
    plugin_name: "postgresql-database-plugin",
    connection_url: `postgresql://{{username}}:{{password}}@${host}:${port}/${DATABASE}?sslmode=disable`,
    username: "proof_manager",
    password: sandbox.managerPassword,
    password_authentication: "scram-sha-256",
    allowed_roles: Object.keys(roles),
  });
  const described: Record<string, RoleOutput> = {};
  const approles: Record<string, EnvironmentOutputs["approles"][string]> = {};
  for (const [name, role] of Object.entries(roles)) {
    await vault.write(`${MOUNT}/roles/${name}`, {
      db_name: DATABASE,
      creation_statements: role.statements.creation,
      renew_statements: role.statements.renewal,
      revocation_statements: role.statements.revocation,
      default_ttl: 60,
      max_ttl: 600,
    });
    const readable = [name, ...(alsoReads[name] === undefined ? [] : [alsoReads[name]])];
    const policy = readable
      .map((path) => `path "${MOUNT}/creds/${path}" { capabilities = ["read"] }`)
      .join("\n");
    await vault.write(`sys/policies/acl/proof-${name}`, { policy });
    const path = `auth/${APPROLE_MOUNT}/role/${name}`;
    await vault.write(path, { token_policies: [`proof-${name}`], token_ttl: 300 });
    const { data } = await vault.read(`${path}/role-id`);
    approles[name] = {
      role_id: String(data?.role_id),
      login_path: `auth/${APPROLE_MOUNT}/login`,
      secret_id_path: `${path}/secret-id`,
      roles: [name],
    };
    described[name] = {
      creds_path: `${MOUNT}/creds/${name}`,
      base_role: role.baseRole,
      access: role.access,
      schemas: ["app"],
      revocation: role.revocation,
      default_ttl: 60,
      max_ttl: 600,
    };
  }
  return {
    vault: {
      address: sandbox.vault.address,
      mount: MOUNT,
      connection: DATABASE,
      approle_mount: APPROLE_MOUNT,
    },
    postgres: { host, port, database: DATABASE, sslmode: "disable", manager: "proof_manager" },
    roles: described,
    approles,
  };
}

/** Names of the dynamic users and tables that are there. */
export async function leftovers(sandbox: Sandbox): Promise<string[]> {
  const client: Client = await sandbox.postgres.connect(DATABASE);
  const { rows } = await client.query<{ name: string }>(
    `SELECT rolname AS name FROM pg_roles WHERE rolname LIKE 'v-%'
     UNION ALL SELECT tablename FROM pg_tables WHERE schemaname = 'app'`,
  );
  await client.end();
  return rows.map((row) => row.name);
}
