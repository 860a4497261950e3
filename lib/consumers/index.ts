/**
 * Configuration of what reads credentials: agents, consul-template, systemd. Texts that hold no secret.
 *
 * @module consumers
 */
export { ConsulTemplateConfiguration } from "./consul-template-configuration";
export type { ConsulTemplateConfigurationProps, SupervisedProgram } from "./consul-template-configuration";
export type { CredentialsFile } from "./credentials-file";
export { CredentialsTemplate } from "./credentials-template";
export type {
  CredentialSource,
  EnvTemplateOptions,
  FixedValues,
  JsonTemplateOptions,
} from "./credentials-template";
export { OnChange } from "./on-change";
export type { OnChangeOptions, ReloadSignal } from "./on-change";
export { SystemdUnit } from "./systemd-unit";
export type { StartLimit, SystemdUnitProps } from "./systemd-unit";
export { VaultAgentConfiguration } from "./vault-agent-configuration";
export type { LoginBackoff, VaultAgentConfigurationProps } from "./vault-agent-configuration";
