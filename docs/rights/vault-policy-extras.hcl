# What the token needs besides vault-policy.hcl where a stack has key-value engines, audit devices or quotas; nothing else.
# The tests use this file. As there, write your application-environment in place of "+". Leave out what your stacks have none of.
#
#   vault policy write credentials-deployer-extras docs/rights/vault-policy-extras.hcl
#   vault token create -policy=credentials-deployer -policy=credentials-deployer-extras -no-default-policy

# The key-value engine, at <application>-<environment>/kv.
path "sys/mounts/+/kv" {
  capabilities = ["create", "read", "update", "delete"]
}
path "sys/mounts/+/kv/tune" {
  capabilities = ["read", "update"]
}

# Its secrets are written, and removed with all their versions. No reading: a deployment never sees one.
path "+/kv/data/*" {
  capabilities = ["create", "update"]
}
path "+/kv/metadata/*" {
  capabilities = ["delete"]
}

# The policies of those who may read them, which are named like the path that they open.
path "sys/policies/acl/+/kv/data/*" {
  capabilities = ["create", "read", "update", "delete"]
}

# Quotas and audit devices belong to the whole server. Audit devices ask for sudo. Whoever may write a quota may stop the
# server for everybody; whoever may write an audit device may have every secret of the server written in the clear, into
# any file of the server's.
path "sys/quotas/rate-limit/+" {
  capabilities = ["create", "read", "update", "delete"]
}
path "sys/audit" {
  capabilities = ["read", "sudo"]
}
path "sys/audit/+" {
  capabilities = ["create", "update", "delete", "sudo"]
}
