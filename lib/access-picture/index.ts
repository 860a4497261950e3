/**
 * Who may do what, read from the constructs of a tree: as data, as tables, as a picture.
 *
 * @module access
 */
export { accessOf } from "./access-of";
export { accessDot } from "./dot";
export { accessMermaid } from "./mermaid";
export type {
  AccessPart,
  AccessReport,
  AppRoleAccess,
  AppRoleLimits,
  BaseRoleAccess,
  DatabaseGrant,
  Known,
  LoginAccess,
  OwnSql,
  PolicyAccess,
  RoleAccess,
  RuleAccess,
} from "./report";
export { accessTable } from "./table";
