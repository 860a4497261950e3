import type { TerraformProvider } from "cdktf";

/** What tells servers apart; absent where the provider's environment says it. */
export interface ProviderSettings {
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly address?: string;
  readonly namespace?: string;
}

/** What a provider was given, tokens included. The bindings of cdktf and of its successor have the same names for it. */
export function providerSettings(provider: TerraformProvider | undefined): ProviderSettings {
  return (provider ?? {}) as ProviderSettings;
}
