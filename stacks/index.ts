/**
 * An environment as data, and the stack that turns one into constructs: `cdktf-database-credentials/stacks`.
 *
 * @module stacks
 */
export { CredentialsStack } from "./credentials-stack";
export type {
  Environment,
  EnvironmentApplication,
  EnvironmentRole,
  EnvironmentStaticRole,
  PostgresServer,
  VaultServer,
} from "./environment";
export type {
  AppRoleOutput,
  EnvironmentOutputs,
  PostgresOutput,
  RoleOutput,
  StaticRoleOutput,
  VaultOutput,
} from "./outputs";
export { StateBackend } from "./state-backend";
export type { S3StateOptions } from "./state-backend";
