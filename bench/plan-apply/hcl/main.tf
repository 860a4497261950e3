# What a team would write by hand for the same result: every resource once, with for_each over the roles.

terraform {
  required_providers {
    postgresql = {
      source  = "cyrilgdn/postgresql"
      version = "1.26.0"
    }
    vault = {
      source  = "hashicorp/vault"
      version = "5.6.0"
    }
  }
}

variable "roles" {
  type = set(string)
}

variable "postgres_host" {
  type = string
}

variable "postgres_port" {
  type = number
}

variable "manager_password" {
  type      = string
  sensitive = true
  ephemeral = true
}

locals {
  prefix   = "bench-local"
  database = "bench_local"
  exists   = "IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{{name}}') THEN"
}

provider "vault" {}

provider "postgresql" {
  host      = var.postgres_host
  port      = var.postgres_port
  username  = "terraform"
  sslmode   = "disable"
  superuser = false
}

resource "postgresql_role" "base" {
  for_each = var.roles
  name     = "${local.database}_${each.key}"
  login    = false
}

resource "postgresql_role" "manager" {
  name                = "${local.database}_manager"
  login               = true
  superuser           = false
  create_role         = true
  password_wo         = var.manager_password
  password_wo_version = "1"

  lifecycle {
    ignore_changes = all
  }
}

resource "postgresql_database" "this" {
  name       = local.database
  template   = "template1"
  depends_on = [postgresql_role.base]
}

resource "postgresql_grant" "public_database" {
  database    = postgresql_database.this.name
  role        = "public"
  object_type = "database"
  privileges  = []
}

resource "postgresql_grant" "public_schema" {
  database    = postgresql_database.this.name
  role        = "public"
  object_type = "schema"
  schema      = "public"
  privileges  = []
  depends_on  = [postgresql_grant.public_database]
}

resource "postgresql_schema" "app" {
  name         = "app"
  database     = postgresql_database.this.name
  drop_cascade = true
  depends_on   = [postgresql_grant.public_schema]
}

resource "postgresql_grant" "manager" {
  database    = postgresql_database.this.name
  role        = postgresql_role.manager.name
  object_type = "database"
  privileges  = ["CONNECT"]
  depends_on  = [postgresql_schema.app]
}

resource "postgresql_grant" "connect" {
  for_each    = var.roles
  database    = postgresql_database.this.name
  role        = postgresql_role.base[each.key].name
  object_type = "database"
  privileges  = ["CONNECT"]
  depends_on  = [postgresql_grant.manager]
}

resource "postgresql_grant_role" "admin" {
  for_each          = var.roles
  role              = postgresql_role.manager.name
  grant_role        = postgresql_role.base[each.key].name
  with_admin_option = true
}

resource "vault_mount" "database" {
  path        = "${local.prefix}/database"
  type        = "database"
  description = "PostgreSQL credentials of bench (local)"
}

resource "vault_database_secret_backend_connection" "this" {
  backend           = vault_mount.database.path
  name              = local.database
  allowed_roles     = sort(var.roles)
  verify_connection = true

  postgresql {
    connection_url          = "postgresql://{{username}}:{{password}}@${var.postgres_host}:${var.postgres_port}/${postgresql_database.this.name}?sslmode=disable"
    username                = postgresql_role.manager.name
    password_wo             = var.manager_password
    password_wo_version     = 1
    password_authentication = "scram-sha-256"
    max_connection_lifetime = 1800
    max_idle_connections    = 2
    max_open_connections    = 4
  }

  depends_on = [postgresql_grant.manager]
}

resource "vault_database_secret_backend_role" "this" {
  for_each    = var.roles
  backend     = vault_mount.database.path
  name        = each.key
  db_name     = vault_database_secret_backend_connection.this.name
  default_ttl = 3600
  max_ttl     = 86400

  creation_statements = [
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';",
    trimspace(<<-SQL
      DO $body$
      BEGIN
        IF current_setting('server_version_num')::int >= 160000 THEN
          EXECUTE 'GRANT "${postgresql_role.base[each.key].name}" TO "{{name}}" WITH INHERIT TRUE, SET FALSE';
        ELSE
          GRANT "${postgresql_role.base[each.key].name}" TO "{{name}}";
        END IF;
      END
      $body$;
    SQL
    ),
  ]
  renew_statements = ["ALTER ROLE \"{{name}}\" VALID UNTIL '{{expiration}}';"]
  revocation_statements = [
    trimspace(<<-SQL
      DO $body$
      BEGIN
        ${local.exists}
          ALTER ROLE "{{name}}" NOLOGIN;
          GRANT "{{name}}" TO CURRENT_USER;
        END IF;
      END
      $body$;
    SQL
    ),
    "COMMIT;",
    trimspace(<<-SQL
      DO $body$
      BEGIN
        ${local.exists}
          FOR attempt IN 1..50 LOOP
            PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = '{{name}}';
            EXIT WHEN NOT FOUND;
            PERFORM pg_catalog.pg_sleep(0.005 * attempt);
            PERFORM pg_catalog.pg_stat_clear_snapshot();
          END LOOP;
          IF EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE usename = '{{name}}') THEN
            RAISE EXCEPTION 'sessions of % could not be ended', '{{name}}';
          END IF;
          PERFORM pg_catalog.set_config('lock_timeout', '10s', true);
          REASSIGN OWNED BY "{{name}}" TO "${postgresql_role.base[each.key].name}";
          DROP OWNED BY "{{name}}";
          DROP ROLE "{{name}}";
        END IF;
      END
      $body$;
    SQL
    ),
  ]

  depends_on = [postgresql_grant.connect, postgresql_grant_role.admin]
}

resource "vault_policy" "read" {
  for_each = var.roles
  name     = "${local.prefix}/database/creds/${each.key}"
  policy   = <<-HCL
    path "${vault_mount.database.path}/creds/${vault_database_secret_backend_role.this[each.key].name}" {
      capabilities = ["read"]
    }
  HCL
}

resource "vault_auth_backend" "approle" {
  type        = "approle"
  path        = "${local.prefix}/approle"
  description = "Applications of bench (local)"
}

resource "vault_approle_auth_backend_role" "this" {
  for_each           = var.roles
  backend            = vault_auth_backend.approle.path
  role_name          = "${local.prefix}-${each.key}"
  bind_secret_id     = true
  secret_id_ttl      = 2592000
  secret_id_num_uses = 0
  token_ttl          = 3600
  token_max_ttl      = 86400
  token_num_uses     = 0
  token_type         = "service"
  token_policies     = [vault_policy.read[each.key].name]
}

output "roles" {
  value = {
    for name, role in vault_approle_auth_backend_role.this :
    name => { role_id = role.role_id, creds_path = "${local.prefix}/database/creds/${name}" }
  }
}
