# What a team would write by hand for the same result: every resource once, with for_each over the roles.

resource "postgresql_role" "base" {
  for_each = var.roles
  name     = "${local.database}_${each.key}"
  login    = false
}

resource "postgresql_database" "this" {
  name       = local.database
  template   = "template1"
  depends_on = [postgresql_role.base]
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

resource "vault_database_secret_backend_role" "this" {
  for_each    = var.roles
  backend     = vault_mount.database.path
  name        = each.key
  db_name     = vault_database_secret_backend_connection.this.name
  default_ttl = 3600
  max_ttl     = 86400

  creation_statements = [
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';",
    trimspace(templatefile("${path.root}/statements/join.sql", { base_role = postgresql_role.base[each.key].name })),
  ]
  renew_statements = ["ALTER ROLE \"{{name}}\" VALID UNTIL '{{expiration}}';"]
  revocation_statements = [
    trimspace(file("${path.root}/statements/refuse.sql")),
    "COMMIT;",
    trimspace(templatefile("${path.root}/statements/drop.sql", { base_role = postgresql_role.base[each.key].name })),
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
