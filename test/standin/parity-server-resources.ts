// What the parity configuration has of Vault besides credentials: kept values, a quota, and an audit device.
import type { Json, ParityOptions } from "./parity-configuration";

export function parityServerResources({ prefix, changed, auditByApi }: ParityOptions): Json {
  const written = { mount: "${vault_mount.kept.path}", disable_read: true, delete_all_versions: true };
  return {
    vault_kv_secret_v2: {
      described: {
        ...written,
        name: "app/database/config",
        data_json: changed
          ? `{ "port": 5433, "host": "b.example.com", "options": "a=1&b=<2>" }`
          : `{ "port": 5432, "host": "a.example.com" }`,
      },
      hidden: {
        ...written,
        name: "app/database/password",
        data_json_wo: '${jsonencode({ "password" = var.manager_password })}',
        data_json_wo_version: changed ? 2 : 1,
      },
    },
    vault_quota_rate_limit: {
      engine: {
        name: `${prefix}engine`,
        path: "${vault_mount.kept.path}/",
        rate: changed ? 500.5 : 400,
        ...(changed ? { block_interval: 3 } : { interval: 2 }),
      },
      logins: {
        name: `${prefix}logins`,
        path: "auth/${vault_auth_backend.approle.path}/",
        role: "web",
        rate: 100,
      },
    },
    ...(auditByApi
      ? {
          vault_audit: {
            file: {
              type: "file",
              path: `${prefix}audit`,
              description: changed ? "second" : "first",
              options: { file_path: "discard", mode: "0600" },
            },
          },
        }
      : {}),
  };
}
