# The same by a module for one role, with for_each over the roles.

resource "postgresql_database" "this" {
  name     = local.database
  template = "template1"
}

module "role" {
  for_each      = var.roles
  source        = "./role"
  name          = each.key
  prefix        = local.prefix
  database      = postgresql_database.this.name
  manager       = postgresql_grant.manager.role
  mount         = vault_mount.database.path
  connection    = vault_database_secret_backend_connection.this.name
  approle_mount = vault_auth_backend.approle.path
}

output "roles" {
  value = module.role
}
