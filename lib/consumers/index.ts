export { CredentialsTemplate } from "./credentials-template";
export type {
  CredentialSource,
  EnvTemplateOptions,
  FixedValues,
  JsonTemplateOptions,
} from "./credentials-template";
export { OnChange } from "./on-change";
export type { OnChangeOptions, ReloadSignal } from "./on-change";
export { VaultAgentConfiguration } from "./vault-agent-configuration";
export type { CredentialsFile, VaultAgentConfigurationProps } from "./vault-agent-configuration";
