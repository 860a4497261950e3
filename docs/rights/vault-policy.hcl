# What the token needs that runs `cdktf deploy` and `cdktf destroy`; nothing else. The sandbox and the tests use this file.
#
# The paths follow the names of the stacks: engine at <application>-<environment>/database, auth method at
# <application>-<environment>/approle, policies named like the paths they open. A "+" stands for one path segment; write
# your application-environment in its place (orders-production/database), and a deployment touches no other environment by
# mistake.
#
# Whoever has the token is root of its namespace all the same, also with a name in place of the "+": it may write policies,
# whatever is in them, and AppRoles that hold them. What bounds it is a namespace of its own for each environment or team
# (OpenBao, Vault Enterprise), a Sentinel policy about what may be written (Vault Enterprise), and that nobody but the
# pipeline has it, for plans that somebody has read.
#
#   vault policy write credentials-deployer docs/rights/vault-policy.hcl
#   vault token create -policy=credentials-deployer -no-default-policy
#
# In a namespace of OpenBao or Vault Enterprise, write the policy inside that namespace.

# The provider makes itself a short-lived child of the token and looks itself up.
path "auth/token/create" {
  capabilities = ["update"]
}
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}

# The database secrets engine.
path "sys/mounts/+/database" {
  capabilities = ["create", "read", "update", "delete"]
}
path "sys/mounts/+/database/tune" {
  capabilities = ["read", "update"]
}

# Its connections and roles. No reading of "creds" or "static-creds": a deployment never sees a credential.
path "+/database/config/+" {
  capabilities = ["create", "read", "update", "delete"]
}
path "+/database/roles/+" {
  capabilities = ["create", "read", "update", "delete"]
}
path "+/database/static-roles/+" {
  capabilities = ["create", "read", "update", "delete"]
}

# After the first deployment: the engine changes its own password to one that nobody else knows.
path "+/database/rotate-root/+" {
  capabilities = ["update"]
}

# The AppRole auth method. Making and removing auth methods asks for sudo.
path "sys/auth" {
  capabilities = ["read"]
}
path "sys/auth/+/approle" {
  capabilities = ["create", "read", "update", "delete", "sudo"]
}
path "sys/auth/+/approle/tune" {
  capabilities = ["read", "update", "sudo"]
}
path "sys/mounts/auth/+/approle" {
  capabilities = ["read"]
}
path "sys/mounts/auth/+/approle/tune" {
  capabilities = ["read", "update"]
}

# AppRoles and their RoleIDs. No SecretIDs: see verify-policy.hcl for who issues them.
path "auth/+/approle/role/+" {
  capabilities = ["create", "read", "update", "delete"]
}
path "auth/+/approle/role/+/role-id" {
  capabilities = ["create", "read", "update"]
}

# The policies of the AppRoles, which are named like the path that they open, or begin so.
path "sys/policies/acl/+/database/creds/+" {
  capabilities = ["create", "read", "update", "delete"]
}
path "sys/policies/acl/+/database/static-creds/+" {
  capabilities = ["create", "read", "update", "delete"]
}

# Before a destroy: ends the credentials in use while the engine can still reach the database, and sees that none is left.
path "sys/leases/revoke-prefix/+/database/creds" {
  capabilities = ["update", "sudo"]
}
path "sys/leases/revoke-prefix/+/database/creds/*" {
  capabilities = ["update", "sudo"]
}
path "sys/leases/lookup/+/database/creds/*" {
  capabilities = ["list", "sudo"]
}
