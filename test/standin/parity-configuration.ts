// One environment in the shape that the library emits, as Terraform JSON: what the parity check applies with
// the stand-ins and with the real plugins. Written by hand, so that it depends on nothing but Terraform.
import { parityServerResources } from "./parity-server-resources";
import { parityVaultResources } from "./parity-vault-resources";
import { providerVersion } from "../../sandbox/providers/versions";

export interface ParityOptions {
  /** Prefix of every name, so that several applications share the servers. */
  readonly prefix: string;
  readonly vaultAddress: string;
  readonly postgres: {
    readonly host: string;
    readonly port: number;
    readonly username: string;
    readonly superuser: boolean;
  };
  /** Whether the server takes audit devices by its API, as Vault does. */
  readonly auditByApi: boolean;
  /** What differs from the first application; the updates that the check goes through. */
  readonly changed?: boolean;
}

export type Json = Record<string, unknown>;

/** Passwords are variables: `pg_password` of the login, `manager_password` into the write-only arguments. */
export function parityConfiguration(options: ParityOptions): Json {
  return {
    terraform: {
      required_providers: {
        postgresql: { source: "cyrilgdn/postgresql", version: providerVersion("postgresql") },
        vault: { source: "hashicorp/vault", version: providerVersion("vault") },
      },
    },
    variable: Object.fromEntries(
      ["pg_password", "manager_password", "vault_token"].map((name) => [
        name,
        { type: "string", sensitive: true, ephemeral: true },
      ]),
    ),
    provider: {
      postgresql: [
        {
          ...options.postgres,
          password: "${var.pg_password}",
          sslmode: "disable",
          database: "postgres",
          connect_timeout: 15,
        },
      ],
      vault: [{ address: options.vaultAddress, token: "${var.vault_token}", max_lease_ttl_seconds: 3600 }],
    },
    resource: {
      ...postgresResources(options),
      ...vaultResources(options),
    },
  };
}

function postgresResources({ prefix, changed }: ParityOptions): Json {
  const database = "${postgresql_database.orders.name}";
  const roles = ["owner", "writer", "reader"];
  const role = (name: string) => `\${postgresql_role.${name}.name}`;
  const grants: Record<string, Json> = {
    public_database: { role: "public", database, object_type: "database", privileges: [] },
    public_schema: { role: "public", database, schema: "public", object_type: "schema", privileges: [] },
    owner_database: {
      role: role("owner"),
      database,
      object_type: "database",
      privileges: ["CONNECT", "CREATE", "TEMPORARY"],
    },
    reader_database: { role: role("reader"), database, object_type: "database", privileges: ["CONNECT"] },
    owner_schema: schemaGrant(role("owner"), database, "schema", ["USAGE", "CREATE"]),
    reader_schema: schemaGrant(role("reader"), database, "schema", ["USAGE"]),
    reader_table: schemaGrant(
      role("reader"),
      database,
      "table",
      changed ? ["SELECT", "REFERENCES"] : ["SELECT"],
    ),
    reader_sequence: schemaGrant(role("reader"), database, "sequence", ["USAGE", "SELECT"]),
    writer_schema: schemaGrant(role("writer"), database, "schema", ["USAGE"]),
    writer_table: schemaGrant(role("writer"), database, "table", ["SELECT", "INSERT", "UPDATE", "DELETE"]),
    writer_sequence: schemaGrant(role("writer"), database, "sequence", ["USAGE", "SELECT", "UPDATE"]),
  };
  return {
    postgresql_database: {
      orders: { name: `${prefix}orders`, ...(changed ? { connection_limit: 40 } : {}) },
    },
    postgresql_role: {
      ...Object.fromEntries(roles.map((name) => [name, { name: `${prefix}${name}`, login: false }])),
      manager: {
        name: `${prefix}manager`,
        login: true,
        create_role: true,
        inherit: true,
        password_wo: "${var.manager_password}",
        password_wo_version: "1",
        lifecycle: { ignore_changes: "all" },
      },
      limited: {
        name: `${prefix}limited`,
        login: true,
        connection_limit: changed ? 5 : 3,
        statement_timeout: 30000,
        ...(changed ? {} : { idle_in_transaction_session_timeout: 60000 }),
        valid_until: "2040-01-01 00:00:00+00",
        search_path: changed ? ["app"] : ["app", "public"],
        roles: changed ? [role("reader"), role("writer")] : [role("reader")],
        assume_role: role("reader"),
        password: changed ? "second\\'word" : "first\\'word",
      },
      // Its password is the static role's.
      legacy: { name: `${prefix}legacy`, login: true },
    },
    postgresql_schema: {
      app: { name: "app", database, owner: role("owner"), drop_cascade: true },
    },
    postgresql_grant: chained("postgresql_grant", grants, ["postgresql_schema.app"]),
    postgresql_default_privileges: {
      reader_tables: defaults(
        role,
        "reader",
        database,
        "table",
        changed ? ["SELECT", "TRIGGER"] : ["SELECT"],
      ),
      reader_sequences: defaults(role, "reader", database, "sequence", ["USAGE", "SELECT"]),
      writer_tables: defaults(role, "writer", database, "table", ["SELECT", "INSERT", "UPDATE", "DELETE"]),
    },
    postgresql_grant_role: Object.fromEntries(
      [...roles, "legacy"].map((name) => [
        `manager_${name}`,
        { role: role("manager"), grant_role: role(name), with_admin_option: true },
      ]),
    ),
  };
}

function vaultResources(options: ParityOptions): Json {
  const resources = { ...parityVaultResources(options), ...parityServerResources(options) };
  if (!options.auditByApi) return resources;
  // What Vault is asked while it enables or disables a device, it answers with 500.
  return Object.fromEntries(
    Object.entries(resources).map(([type, named]) => [
      type,
      type === "vault_audit" ? named : afterAudit(named as Record<string, Json>),
    ]),
  );
}

function afterAudit(named: Record<string, Json>): Json {
  return Object.fromEntries(
    Object.entries(named).map(([name, resource]) => [
      name,
      { ...resource, depends_on: [...((resource.depends_on as string[]) ?? []), "vault_audit.file"] },
    ]),
  );
}

function schemaGrant(role: string, database: string, objectType: string, privileges: string[]): Json {
  return { role, database, schema: "app", object_type: objectType, privileges };
}

function defaults(
  role: (name: string) => string,
  grantee: string,
  database: string,
  objectType: string,
  privileges: string[],
): Json {
  return {
    role: role(grantee),
    database,
    owner: role("owner"),
    schema: "${postgresql_schema.app.name}",
    object_type: objectType,
    privileges,
  };
}

/** The real plugin fails with "tuple concurrently updated" where grants on one schema run side by side. */
function chained(type: string, grants: Record<string, Json>, first: string[]): Json {
  let previous = first;
  return Object.fromEntries(
    Object.entries(grants).map(([name, grant]) => {
      const entry = [name, { ...grant, depends_on: previous }];
      previous = [`${type}.${name}`];
      return entry;
    }),
  ) as Json;
}
