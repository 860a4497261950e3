/**
 * MySQL and MariaDB: what credentials may do. The connection and the roles are in the module vault.
 *
 * @module mysql
 */
export { MysqlAccess } from "./mysql-access";
export type { MysqlAccessLevel, MysqlAccessOptions, MysqlCustomAccessOptions } from "./mysql-access";
