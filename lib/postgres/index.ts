/**
 * PostgreSQL: the database, the base roles whose rights credentials have, the login of the engine, logins that last.
 *
 * @module postgres
 */
export { Access } from "./access";
export type { AccessGrant, AccessLevel, AccessOptions, GrantTarget, OwnerAccessOptions } from "./access";
export { BaseRole } from "./base-role";
export type { BaseRoleAttributes, BaseRoleOptions, IBaseRole } from "./base-role";
export { PostgresDatabase } from "./database";
export type { IPostgresDatabase, PostgresDatabaseProps, SchemaOptions } from "./database";
export { Login } from "./login";
export type { ILogin, LoginOptions, LoginProps } from "./login";
export { ManagerRole } from "./manager-role";
export type { IManagerRole, ManagerRoleProps } from "./manager-role";
export type { IPostgresRole } from "./postgres-role";
