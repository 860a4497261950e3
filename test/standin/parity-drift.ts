// Changes by hand, past Terraform, of about everything that a parity configuration makes.
import { withPostgres, type ParityServers } from "./parity-snapshot";

export async function makeDrift(servers: ParityServers, prefix: string): Promise<void> {
  await withPostgres(servers, `${prefix}orders`, async (client) => {
    for (const statement of [
      // A table that the grants on all tables have not seen.
      `CREATE TABLE app.late (id serial)`,
      `ALTER TABLE app.late OWNER TO ${prefix}owner`,
      `REVOKE USAGE ON SCHEMA app FROM ${prefix}reader`,
      `GRANT CONNECT ON DATABASE ${prefix}orders TO PUBLIC`,
      `GRANT CREATE ON SCHEMA app TO ${prefix}writer`,
      `ALTER ROLE ${prefix}limited NOLOGIN CONNECTION LIMIT 9`,
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${prefix}owner IN SCHEMA app REVOKE ALL ON TABLES FROM ${prefix}writer`,
      `REVOKE ${prefix}owner FROM ${prefix}manager`,
      `ALTER DATABASE ${prefix}orders CONNECTION LIMIT 77`,
    ]) {
      await client.query(statement);
    }
  });
  const call = (method: string, path: string, body?: object) => vault(servers, method, path, body);
  await call("POST", `sys/policies/acl/${prefix}reader`, { policy: 'path "x" { capabilities = ["read"] }' });
  await call("POST", `${prefix}database/roles/reader`, {
    db_name: "orders",
    creation_statements: ["SELECT 2"],
    default_ttl: "7s",
    max_ttl: "9s",
  });
  await call("DELETE", `${prefix}database/roles/writer`);
  await call("POST", `${prefix}database/static-roles/legacy`, {
    username: `${prefix}legacy`,
    rotation_period: "300s",
    rotation_statements: [`ALTER ROLE "{{username}}" PASSWORD '{{password}}'`],
  });
  await call("POST", `${prefix}database/config/orders`, {
    plugin_name: "postgresql-database-plugin",
    allowed_roles: "*",
    max_open_connections: 9,
    verify_connection: false,
  });
  await call("POST", `${prefix}database/config/echo`, {
    plugin_name: "mysql-database-plugin",
    allowed_roles: "*",
    username: "somebody",
    tls_ca: "",
    verify_connection: false,
  });
  await call("POST", `auth/${prefix}approle/role/web`, {
    token_ttl: 11,
    token_policies: ["default"],
    secret_id_num_uses: 3,
  });
  await call("DELETE", `auth/${prefix}tuned/role/plain`);
  // Written past Terraform, which does not read it.
  await call("POST", `${prefix}kept/data/app/database/config`, { data: { host: "elsewhere" } });
  await call("POST", `sys/quotas/rate-limit/${prefix}engine`, {
    path: `${prefix}kept/`,
    rate: 7,
    interval: 9,
  });
  await call("DELETE", `sys/quotas/rate-limit/${prefix}logins`);
  await call("POST", `sys/mounts/${prefix}database/tune`, { description: "drift", default_lease_ttl: "77s" });
  await call("POST", `sys/mounts/auth/${prefix}approle/tune`, { description: "drift" });
}

async function vault(servers: ParityServers, method: string, path: string, body?: object): Promise<void> {
  const response = await fetch(`${servers.vaultAddress}/v1/${path}`, {
    method,
    headers: { "X-Vault-Token": servers.vaultToken },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Error(`${method} ${path} failed with ${response.status}: ${await response.text()}`);
  }
}
