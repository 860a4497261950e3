export { Access } from "./access";
export type { AccessGrant, AccessLevel, AccessOptions, GrantTarget, OwnerAccessOptions } from "./access";
export { BaseRole } from "./base-role";
export type { BaseRoleAttributes, BaseRoleOptions, IBaseRole } from "./base-role";
export { PostgresDatabase } from "./database";
export type { IPostgresDatabase, PostgresDatabaseProps, SchemaOptions } from "./database";
export { ManagerRole } from "./manager-role";
export type { IManagerRole, ManagerRoleProps } from "./manager-role";
