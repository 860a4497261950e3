# One role of the engine, its base role, and the application that reads it.

terraform {
  required_providers {
    postgresql = {
      source = "cyrilgdn/postgresql"
    }
    vault = {
      source = "hashicorp/vault"
    }
  }
}

variable "name" {
  type        = string
  description = "Of the role and of its application"
}

variable "prefix" {
  type        = string
  description = "Begins the names of policies and AppRoles"
}

variable "database" {
  type        = string
  description = "Name of the database"
}

variable "manager" {
  type        = string
  description = "Name of the login that the engine uses"
}

variable "mount" {
  type        = string
  description = "Path of the secrets engine"
}

variable "connection" {
  type        = string
  description = "Name of the engine's connection"
}

variable "approle_mount" {
  type        = string
  description = "Path of the auth method"
}

resource "postgresql_role" "this" {
  name  = "${var.database}_${var.name}"
  login = false
}

resource "postgresql_grant" "connect" {
  database    = var.database
  role        = postgresql_role.this.name
  object_type = "database"
  privileges  = ["CONNECT"]
}

resource "postgresql_grant_role" "admin" {
  role              = var.manager
  grant_role        = postgresql_role.this.name
  with_admin_option = true
}

resource "vault_database_secret_backend_role" "this" {
  backend     = var.mount
  name        = var.name
  db_name     = var.connection
  default_ttl = 3600
  max_ttl     = 86400

  creation_statements = [
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';",
    trimspace(templatefile("${path.root}/statements/join.sql", { base_role = postgresql_role.this.name })),
  ]
  renew_statements = ["ALTER ROLE \"{{name}}\" VALID UNTIL '{{expiration}}';"]
  revocation_statements = [
    trimspace(file("${path.root}/statements/refuse.sql")),
    "COMMIT;",
    trimspace(templatefile("${path.root}/statements/drop.sql", { base_role = postgresql_role.this.name })),
  ]

  depends_on = [postgresql_grant.connect, postgresql_grant_role.admin]
}

resource "vault_policy" "read" {
  name   = "${var.prefix}/database/creds/${var.name}"
  policy = <<-HCL
    path "${var.mount}/creds/${vault_database_secret_backend_role.this.name}" {
      capabilities = ["read"]
    }
  HCL
}

resource "vault_approle_auth_backend_role" "this" {
  backend            = var.approle_mount
  role_name          = "${var.prefix}-${var.name}"
  bind_secret_id     = true
  secret_id_ttl      = 2592000
  secret_id_num_uses = 0
  token_ttl          = 3600
  token_max_ttl      = 86400
  token_num_uses     = 0
  token_type         = "service"
  token_policies     = [vault_policy.read.name]
}

output "role_id" {
  value = vault_approle_auth_backend_role.this.role_id
}

output "creds_path" {
  value = vault_policy.read.name
}
