# What the token needs that runs `vault-postgres`: status, secret-id, rotate-root, rotate, revoke and drain; nothing else. It
# reads no credential itself, but it may log in as each application by a SecretID that it issues and unwraps, and so read what
# that application may. The sandbox and the tests use this file. As in vault-policy.hcl, write your
# application-environment in place of "+" to confine it. `verify` does with less, verify-policy.hcl; `destroy` is Terraform's,
# vault-policy.hcl.
#
#   vault policy write credentials-operator docs/rights/operator-policy.hcl
#   vault token create -policy=credentials-operator -no-default-policy -ttl=1h

# status, and what every command looks at: connections, roles, static roles, leases.
path "+/database/config/" {
  capabilities = ["list"]
}
path "+/database/config/+" {
  # update: drain tells the connection to serve no role. It may write nothing else of it: with the URL it would have the
  # engine send its password to a server of its own, and root_rotation_statements run as the engine's login.
  capabilities = ["read", "update"]
  allowed_parameters = {
    "allowed_roles"     = []
    "verify_connection" = []
  }
}
path "+/database/roles/" {
  capabilities = ["list"]
}
path "+/database/roles/+" {
  capabilities = ["read"]
}
path "+/database/static-roles/" {
  capabilities = ["list"]
}
path "+/database/static-roles/+" {
  capabilities = ["read"]
}
path "sys/leases/lookup/+/database/creds/*" {
  capabilities = ["list", "sudo"]
}
path "sys/leases/lookup" {
  capabilities = ["update"]
}
# Leases that were given up to revoke; the answer is about all engines.
path "sys/leases" {
  capabilities = ["read", "sudo"]
}

# status: whether AppRoles and their policies are as they were declared. A RoleID is the public half of a login, and in the
# outputs as well.
path "auth/+/approle/role/" {
  capabilities = ["list"]
}
path "auth/+/approle/role/+" {
  capabilities = ["read"]
}
path "auth/+/approle/role/+/role-id" {
  capabilities = ["read"]
}
path "sys/policies/acl/+/database/creds/+" {
  capabilities = ["read"]
}
path "sys/policies/acl/+/database/static-creds/+" {
  capabilities = ["read"]
}

# status: AppRoles that failed logins have locked out; the answer is about all auth methods of the namespace.
path "sys/locked-users" {
  capabilities = ["read"]
}

# status and revoke --approle: whose tokens there are. Accessors are listed for all auth methods.
path "auth/token/accessors" {
  capabilities = ["list", "sudo"]
}
path "auth/token/lookup-accessor" {
  capabilities = ["update"]
}

# revoke --approle: the group's tokens and SecretIDs. By accessor any token can be revoked: leave this out, and use
# credentials-operator for everything but --approle, where that is too much.
path "auth/token/revoke-accessor" {
  capabilities = ["update"]
}
path "auth/+/approle/role/+/secret-id-accessor/destroy" {
  capabilities = ["update"]
}

# secret-id, only response-wrapped; and the check after a rotation, which is made as an application. status and
# revoke --approle list the SecretIDs' accessors, wrapped as well: the engines know one wrapping for a path. Parameters of a
# SecretID can only narrow what its AppRole says.
path "auth/+/approle/role/+/secret-id" {
  capabilities     = ["list", "update"]
  min_wrapping_ttl = "1s"
  max_wrapping_ttl = "10m"
}
path "auth/+/approle/role/+/secret-id/destroy" {
  capabilities = ["update"]
}

# revoke and drain. A lease's id is in the body, so that this is about every engine whose lease ids the token can list.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
path "sys/leases/revoke-prefix/+/database/creds" {
  capabilities = ["update", "sudo"]
}
path "sys/leases/revoke-prefix/+/database/creds/*" {
  capabilities = ["update", "sudo"]
}

# rotate-root and rotate.
path "+/database/rotate-root/+" {
  capabilities = ["update"]
}
path "+/database/rotate-role/+" {
  capabilities = ["update"]
}
