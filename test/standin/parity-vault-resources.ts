// The Vault half of the parity configuration.
import { selfSignedCertificate } from "../../sandbox/providers/protocol/certificate";
import type { Json, ParityOptions } from "./parity-configuration";

/** Any certificate does; it is for "localhost". */
const MYSQL_CA = selfSignedCertificate("localhost").certificatePem;

/** Terraform JSON wants every attribute of an attribute-as-block. */
const UNSET_TUNE = {
  allowed_response_headers: null,
  audit_non_hmac_request_keys: null,
  audit_non_hmac_response_keys: null,
  listing_visibility: null,
  passthrough_request_headers: null,
};

export function parityVaultResources({ prefix, changed, postgres }: ParityOptions): Json {
  const statements = {
    creation_statements: [
      `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' IN ROLE "${prefix}reader"`,
      ...(changed ? [`ALTER ROLE "{{name}}" SET statement_timeout = '30s'`] : []),
    ],
    revocation_statements: [`DROP ROLE IF EXISTS "{{name}}"`],
    renew_statements: [`ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}'`],
  };
  const backend = "${vault_mount.database.path}";
  return {
    vault_mount: {
      database: {
        path: `${prefix}database`,
        type: "database",
        description: changed ? "credentials, second edition" : "credentials",
        ...(changed ? { max_lease_ttl_seconds: 7200 } : {}),
      },
      kept: { path: `${prefix}kept`, type: "kv", options: { version: "2" } },
    },
    vault_database_secret_backend_connection: {
      orders: {
        backend,
        name: "orders",
        verify_connection: true,
        allowed_roles: changed ? ["reader", "writer", "auditor", "legacy"] : ["reader", "writer", "legacy"],
        postgresql: [
          {
            connection_url: `postgresql://{{username}}:{{password}}@${postgres.host}:${postgres.port}/\${postgresql_database.orders.name}?sslmode=disable`,
            username: "${postgresql_role.manager.name}",
            password_wo: "${var.manager_password}",
            password_wo_version: 1,
            username_template: `{{ printf "${prefix}%s" (random 10) }}`,
            password_authentication: "scram-sha-256",
            max_open_connections: changed ? 5 : 4,
            max_idle_connections: 2,
            max_connection_lifetime: 300,
          },
        ],
        depends_on: ["postgresql_grant_role.manager_reader", "postgresql_grant.reader_database"],
      },
      // There need not be such a server: it is written and not tried.
      echo: {
        backend,
        name: "echo",
        verify_connection: false,
        allowed_roles: changed ? ["echo", "more"] : ["echo"],
        mysql: [
          {
            connection_url: "{{username}}:{{password}}@tcp(127.0.0.1:3306)/?tls=true",
            username: "manager",
            password_wo: "${var.manager_password}",
            password_wo_version: changed ? 2 : 1,
            username_template: `{{ printf "v-%s" (random 20) }}`,
            tls_ca: MYSQL_CA,
            max_open_connections: changed ? 5 : 4,
            max_idle_connections: 2,
            max_connection_lifetime: 300,
          },
        ],
      },
    },
    vault_database_secret_backend_role: {
      reader: {
        backend,
        name: "reader",
        db_name: "${vault_database_secret_backend_connection.orders.name}",
        default_ttl: changed ? 1200 : 900,
        max_ttl: 3600,
        ...statements,
      },
      echo: {
        backend,
        name: "echo",
        db_name: "${vault_database_secret_backend_connection.echo.name}",
        default_ttl: 300,
        max_ttl: 3600,
        creation_statements: [
          "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}' REQUIRE SSL;",
          "GRANT SELECT ON `echo`.* TO '{{name}}'@'%';",
        ],
        // Kept as it is, although it is JSON.
        revocation_statements: [
          "DROP USER IF EXISTS '{{name}}'@'%';",
          JSON.stringify(["BEGIN NOT ATOMIC KILL USER '{{name}}'; END"]),
        ],
      },
      bare: {
        ...{ backend, name: "writer", db_name: "orders", creation_statements: ["SELECT 1"] },
        lifecycle: { ignore_changes: ["revocation_statements", "default_ttl"] },
      },
    },
    vault_generic_endpoint: {
      whole: {
        path: "${vault_database_secret_backend_role.bare.id}",
        data_json: JSON.stringify({
          db_name: "orders",
          creation_statements: ["SELECT 1"],
          revocation_statements: ['-- <é> & \u2028 "q"'],
          rollback_statements: [],
          default_ttl: changed ? 120 : 60,
          credential_config: {},
          unknown_to_the_server: { b: 1, a: [true, null] },
        }),
        ignore_absent_fields: true,
        disable_delete: true,
      },
      unread: {
        path: `${backend}/roles/unread`,
        data_json: `{ "db_name" : "orders", "creation_statements": ["${changed ? "SELECT 2" : "SELECT 1"}"] }`,
        disable_read: true,
        depends_on: ["vault_database_secret_backend_connection.orders"],
      },
    },
    vault_database_secret_backend_static_role: {
      legacy: {
        backend,
        name: "legacy",
        db_name: "${vault_database_secret_backend_connection.orders.name}",
        username: "${postgresql_role.legacy.name}",
        rotation_period: changed ? 7200 : 3600,
        ...(changed ? { rotation_statements: [`ALTER ROLE "{{name}}" PASSWORD '{{password}}'`] } : {}),
        depends_on: ["postgresql_grant_role.manager_legacy"],
      },
    },
    vault_policy: {
      reader: {
        name: `${prefix}reader`,
        policy: `path "${prefix}database/creds/reader" {\n  capabilities = ["read"${changed ? ', "list"' : ""}]\n}\n`,
      },
    },
    vault_auth_backend: {
      approle: { type: "approle", path: `${prefix}approle`, description: changed ? "second" : "first" },
      tuned: {
        type: "approle",
        path: `${prefix}tuned`,
        tune: [
          {
            ...UNSET_TUNE,
            default_lease_ttl: changed ? "20m" : "10m",
            max_lease_ttl: "3600s",
            token_type: "service",
          },
        ],
      },
    },
    vault_approle_auth_backend_role: {
      web: {
        backend: "${vault_auth_backend.approle.path}",
        role_name: "web",
        bind_secret_id: true,
        secret_id_bound_cidrs: ["10.0.0.0/8", "127.0.0.1/32"],
        secret_id_num_uses: changed ? 20 : 10,
        secret_id_ttl: 600,
        token_bound_cidrs: ["127.0.0.1/32", "10.1.0.0/16"],
        token_explicit_max_ttl: 7200,
        token_max_ttl: 3600,
        token_no_default_policy: true,
        token_num_uses: 0,
        token_period: 0,
        token_policies: ["${vault_policy.reader.name}"],
        token_ttl: changed ? 1800 : 900,
        token_type: "service",
      },
      plain: { backend: "${vault_auth_backend.tuned.path}", role_name: "plain" },
    },
  };
}
