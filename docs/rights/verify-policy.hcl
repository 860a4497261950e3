# What the token needs that runs `npm run verify`, or any delivery tool that hands SecretIDs to applications. The sandbox
# and the tests use this file. As in vault-policy.hcl, write your application-environment in place of "+" to confine it.

# SecretIDs, only response-wrapped: whoever carries one cannot use it unseen. Whoever has this token can: it may unwrap what it
# issues, log in as each application, and read what that application may. Name the AppRoles in place of the last "+" to
# confine it to some. Parameters of a SecretID can only narrow what its AppRole says.
path "auth/+/approle/role/+/secret-id" {
  capabilities     = ["update"]
  min_wrapping_ttl = "1s"
  max_wrapping_ttl = "10m"
}

# Ends a SecretID by itself, which only who has it can. Without this, those that verify has used live as long as others do.
path "auth/+/approle/role/+/secret-id/destroy" {
  capabilities = ["update"]
}

# Ends a credential by its lease. Without this, verify revokes the application's token instead, which ends it as well.
path "sys/leases/revoke" {
  capabilities = ["update"]
}

# Whether the engine has each role as it was declared: its TTLs and its SQL, which hold no secret. Without this, verify skips
# it.
path "+/database/roles/+" {
  capabilities = ["read"]
}
