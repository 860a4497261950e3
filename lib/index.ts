/**
 * Values that all constructs take, and the error that all of them throw.
 *
 * @module values
 */
export * from "./access-picture";
export * from "./consumers";
export { Duration } from "./duration";
export { ConfigurationError } from "./errors";
export type { NoSecrets } from "./secret-looking";
export * from "./mysql";
export * from "./postgres";
export { StateOwner } from "./state-owner";
export type { StateOwnerProps } from "./state-owner";
export * from "./statements";
export * from "./vault";
export { WriteOnlySecret } from "./write-only-secret";
export type { WriteOnlySecretProps } from "./write-only-secret";
