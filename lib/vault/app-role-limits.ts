import type { ApproleAuthBackendRole } from "@cdktf/provider-vault/lib/approle-auth-backend-role";
import { known, knownList } from "../access-picture/known";
import type { AppRoleLimits } from "../access-picture/report";

/** The limits of an AppRole as they are configured. */
export function limitsOf(role: ApproleAuthBackendRole): AppRoleLimits {
  const { tokenTtlInput, tokenMaxTtlInput, tokenPeriodInput, tokenExplicitMaxTtlInput } = role;
  return {
    secretIdNeeded: known(role.bindSecretIdInput !== false),
    secretIdTtl: known(role.secretIdTtlInput ?? 0),
    secretIdUses: known(role.secretIdNumUsesInput ?? 0),
    secretIdNetworks: knownList(role.secretIdBoundCidrsInput),
    ...(tokenTtlInput !== undefined && { tokenTtl: known(tokenTtlInput) }),
    ...(tokenMaxTtlInput !== undefined && { tokenMaxTtl: known(tokenMaxTtlInput) }),
    ...(tokenPeriodInput !== undefined && { tokenPeriod: known(tokenPeriodInput) }),
    ...(tokenExplicitMaxTtlInput !== undefined && { tokenExplicitMaxTtl: known(tokenExplicitMaxTtlInput) }),
    tokenUses: known(role.tokenNumUsesInput ?? 0),
    tokenNetworks: knownList(role.tokenBoundCidrsInput),
    tokenType: role.tokenTypeInput ?? "service",
    defaultPolicy: known(role.tokenNoDefaultPolicyInput !== true),
  };
}
