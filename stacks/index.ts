export { CredentialsStack } from "./credentials-stack";
export type {
  Environment,
  EnvironmentApplication,
  EnvironmentRole,
  EnvironmentStaticRole,
  PostgresServer,
  VaultServer,
} from "./environment";
export type { EnvironmentOutputs } from "./outputs";
export { StateBackend } from "./state-backend";
