export { AppRole } from "./app-role";
export type { AppRoleAttributes, AppRoleOptions, AppRoleProps, IAppRole, IGrantee } from "./app-role";
export { AppRoleAuth } from "./app-role-auth";
export type { AppRoleAuthAttributes, AppRoleAuthProps, IAppRoleAuth } from "./app-role-auth";
export { DatabaseSecretsEngine } from "./database-secrets-engine";
export type {
  DatabaseSecretsEngineAttributes,
  DatabaseSecretsEngineProps,
  IDatabaseSecretsEngine,
} from "./database-secrets-engine";
export { DynamicRole } from "./dynamic-role";
export type {
  DynamicRoleAttributes,
  DynamicRoleOptions,
  DynamicRoleProps,
  IDynamicRole,
} from "./dynamic-role";
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
export type { IReadableRole } from "./readable-role";
export { Revocation } from "./revocation";
export type { DrainOptions } from "./revocation";
export { StaticRole } from "./static-role";
export type { IStaticRole, StaticRoleAttributes, StaticRoleOptions, StaticRoleProps } from "./static-role";
