/**
 * The SQL behind the presets, its checks and its quoting: pure functions, for statements of your own.
 *
 * @module statements
 */
export { checkStatements } from "./check";
export type { StatementKind } from "./check";
export { checkMysqlStatements } from "./mysql-check";
export type { MysqlAllowances, MysqlStatementKind } from "./mysql-check";
export { quoteMysqlDatabasePattern, quoteMysqlIdentifier, quoteMysqlLiteral } from "./mysql-quote";
export { mysqlCreation, mysqlRevocation } from "./mysql-statements";
export type { MysqlGrant, MysqlServerKind } from "./mysql-statements";
export { drainingRevocation, terminatingRevocation } from "./postgres-revocation";
export type { RevocationOptions } from "./postgres-revocation";
export {
  assumingCreation,
  markingTerminated,
  membershipCreation,
  renewal,
  rotation,
} from "./postgres-statements";
export type { DrainTimeouts, LoginLimits, RoleStatements } from "./postgres-statements";
export { dollarQuote, quoteIdentifier, quoteLiteral } from "./quote";
