// The providers that have a stand-in.
import { postgresqlProvider } from "./postgresql/provider";
import type { ProviderType } from "./resource/type";
import { vaultProvider } from "./vault/provider";
import type { ProviderName } from "./versions";

export const PROVIDERS: Readonly<Record<ProviderName, ProviderType<never>>> = {
  postgresql: postgresqlProvider as unknown as ProviderType<never>,
  vault: vaultProvider as unknown as ProviderType<never>,
};
