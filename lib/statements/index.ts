export { checkStatements } from "./check";
export type { StatementKind } from "./check";
export {
  assumingCreation,
  drainingRevocation,
  membershipCreation,
  renewal,
  terminatingRevocation,
} from "./postgres-statements";
export type { DrainTimeouts, RoleStatements } from "./postgres-statements";
export { dollarQuote, quoteIdentifier, quoteLiteral } from "./quote";
