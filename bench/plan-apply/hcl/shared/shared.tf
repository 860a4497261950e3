# What an environment has once.

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
}

provider "vault" {}

provider "postgresql" {
  host      = var.postgres_host
  port      = var.postgres_port
  username  = "terraform"
  sslmode   = "disable"
  superuser = false
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

resource "vault_auth_backend" "approle" {
  type        = "approle"
  path        = "${local.prefix}/approle"
  description = "Applications of bench (local)"
}
