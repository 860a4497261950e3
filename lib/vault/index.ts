/**
 * HashiCorp Vault or OpenBao: secrets engines, connections, roles, policies, AppRoles, key-value
 * secrets, audit devices, quotas.
 *
 * @module vault
 */
export { AppRole } from "./app-role";
export type { AppRoleAttributes, AppRoleOptions, AppRoleProps, IAppRole, IGrantee } from "./app-role";
export { AppRoleAuth } from "./app-role-auth";
export type { AppRoleAuthAttributes, AppRoleAuthProps, IAppRoleAuth } from "./app-role-auth";
export { AuditDevice } from "./audit-device";
export type { AuditDeviceProps } from "./audit-device";
export type { ConnectionLimits } from "./connection-limits";
export type { DynamicRoleAttributes, IDynamicRole } from "./creds-role";
export { DatabaseSecretsEngine } from "./database-secrets-engine";
export type {
  DatabaseSecretsEngineAttributes,
  DatabaseSecretsEngineProps,
  IDatabaseSecretsEngine,
} from "./database-secrets-engine";
export { DynamicRole } from "./dynamic-role";
export type { DynamicRoleOptions, DynamicRoleProps } from "./dynamic-role";
export { KeyValueContent } from "./key-value-content";
export { KeyValueEngine } from "./key-value-engine";
export type { IKeyValueEngine, KeyValueEngineAttributes, KeyValueEngineProps } from "./key-value-engine";
export { KeyValueSecret } from "./key-value-secret";
export type {
  IKeyValueSecret,
  KeyValueSecretAttributes,
  KeyValueSecretOptions,
  KeyValueSecretProps,
} from "./key-value-secret";
export { Lockout } from "./lockout";
export type { LockoutOptions } from "./lockout";
export { MysqlConnection } from "./mysql-connection";
export type {
  IMysqlConnection,
  MysqlConnectionAttributes,
  MysqlConnectionOptions,
  MysqlConnectionProps,
} from "./mysql-connection";
export { MysqlDynamicRole } from "./mysql-dynamic-role";
export type { MysqlDynamicRoleOptions, MysqlDynamicRoleProps } from "./mysql-dynamic-role";
export type { MysqlEndpoint, MysqlTlsMode } from "./mysql-endpoint";
export { Policy } from "./policy";
export type { Capability, IPolicy, PolicyProps, PolicyRule } from "./policy";
export { PostgresConnection } from "./postgres-connection";
export type {
  IPostgresConnection,
  PostgresConnectionAttributes,
  PostgresConnectionOptions,
  PostgresConnectionProps,
} from "./postgres-connection";
export type { PostgresEndpoint, SslMode } from "./postgres-endpoint";
export { RateLimitQuota, RateLimitTarget } from "./rate-limit-quota";
export type { RateLimitedEngine, RateLimitQuotaProps } from "./rate-limit-quota";
export type { IReadable } from "./readable";
export type { IReadableRole } from "./readable-role";
export { Revocation } from "./revocation";
export type { DrainOptions, TerminateOptions } from "./revocation";
export type { RoleTtls } from "./role-ttls";
export { StaticRole } from "./static-role";
export type { IStaticRole, StaticRoleAttributes, StaticRoleOptions, StaticRoleProps } from "./static-role";
