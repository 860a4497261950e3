// Terraform's values on the wire: msgpack, in which a value not yet known is extension type 0.
import { decode, encode, ExtensionCodec } from "@msgpack/msgpack";

/** Lists and sets are arrays; maps, objects and nested blocks are records. */
export type Value =
  null | boolean | number | string | Unknown | readonly Value[] | { readonly [key: string]: Value };

export type ObjectValue = Readonly<Record<string, Value>>;

class Unknown {
  public readonly unknown = true;
}

/** Known only after something else has been applied. */
export const UNKNOWN = new Unknown();

/** Terraform sends refinements of an unknown value as another extension type; the stand-ins need none of them. */
const REFINED_UNKNOWN = 12;

const codec = new ExtensionCodec();
codec.register({
  type: 0,
  encode: (value) => (value instanceof Unknown ? new Uint8Array([0]) : null),
  decode: () => UNKNOWN,
});
codec.register({ type: REFINED_UNKNOWN, encode: () => null, decode: () => UNKNOWN });

export interface DynamicValue {
  readonly msgpack?: Uint8Array;
  readonly json?: Uint8Array;
}

export function decodeObject(value: DynamicValue | null | undefined): ObjectValue | null {
  if (value?.msgpack !== undefined && value.msgpack.length > 0) {
    return decode(value.msgpack, { extensionCodec: codec, useBigInt64: false }) as ObjectValue | null;
  }
  if (value?.json !== undefined && value.json.length > 0) {
    return JSON.parse(Buffer.from(value.json).toString("utf8")) as ObjectValue | null;
  }
  return null;
}

export function encodeObject(value: ObjectValue | null): { msgpack: Buffer } {
  return { msgpack: Buffer.from(encode(value, { extensionCodec: codec })) };
}

export function isKnown(value: Value | undefined): boolean {
  if (value instanceof Unknown) {
    return false;
  }
  if (Array.isArray(value)) {
    return (value as readonly Value[]).every(isKnown);
  }
  return !isRecord(value) || Object.values(value).every(isKnown);
}

export function isRecord(value: Value | undefined): value is ObjectValue {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Unknown);
}

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}
