export { MysqlAccess } from "./mysql-access";
export type { MysqlAccessLevel, MysqlAccessOptions } from "./mysql-access";
