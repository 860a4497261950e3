/**
 * An environment as data, and the stack that turns one into constructs: `cdktf-database-credentials/stacks`.
 *
 * @module stacks
 */
export { CredentialsStack } from "./credentials-stack";
export type {
  Environment,
  EnvironmentApplication,
  EnvironmentGroup,
  EnvironmentRole,
  EnvironmentStaticRole,
  PostgresServer,
  RolesAndApplications,
  VaultServer,
} from "./environment";
export { GroupStack } from "./group-stack";
export type {
  AppRoleOutput,
  AppRoleSettings,
  ConnectionSettings,
  CredentialOutput,
  EnvironmentOutputs,
  GroupOutputs,
  PostgresOutput,
  RoleOutput,
  StatementDigests,
  StaticRoleOutput,
  VaultOutput,
} from "./outputs";
export { StateBackend } from "./state-backend";
export type { S3StateOptions } from "./state-backend";
