// The attributes of one resource, before and after a change, read by name with the type that the schema promises.
import { isKnown, isList, isRecord, type ObjectValue, type Value } from "../protocol/values";
import { equivalent, isZero } from "./equivalence";

export class Attributes {
  public constructor(
    private readonly values: ObjectValue,
    private readonly before: ObjectValue | null = null,
    /** The configuration as written: the only place where write-only values are. */
    private readonly config: ObjectValue | null = null,
  ) {}

  public get isNew(): boolean {
    return this.before === null;
  }

  public text(name: string): string {
    const value = this.known(name);
    return typeof value === "string" ? value : "";
  }

  public number(name: string): number {
    const value = this.known(name);
    return typeof value === "number" ? value : 0;
  }

  public flag(name: string): boolean {
    return this.known(name) === true;
  }

  public texts(name: string): string[] {
    const value = this.known(name);
    return isList(value) ? value.filter((each) => typeof each === "string") : [];
  }

  public map(name: string): ObjectValue {
    const value = this.known(name);
    return isRecord(value) ? value : {};
  }

  /** Set to something other than "", 0, false or an empty collection. */
  public has(name: string): boolean {
    return !isZero(this.known(name));
  }

  /** Set at all, be it to false or 0. */
  public isSet(name: string): boolean {
    return this.known(name) !== null;
  }

  /** Given in the configuration, be the value known yet or not. */
  public isWritten(name: string): boolean {
    return (this.values[name] ?? null) !== null;
  }

  /** Whether there is a block of the type, its content known or not. */
  public hasBlock(name: string): boolean {
    const list = this.values[name] ?? null;
    return list !== null && !(isList(list) && list.length === 0);
  }

  public value(name: string): Value {
    return this.known(name);
  }

  /** Against the state before; for a new resource, against nothing. */
  public changed(...names: readonly string[]): boolean {
    return names.some((name) => !equivalent(this.known(name), this.before?.[name] ?? null));
  }

  public earlier(): Attributes {
    return new Attributes(this.before ?? {});
  }

  /** The only block of a type that may be there once. */
  public block(name: string): Attributes {
    return new Attributes(
      first(this.values, name) ?? {},
      this.before === null ? null : (first(this.before, name) ?? {}),
      this.config === null ? null : (first(this.config, name) ?? {}),
    );
  }

  /** The value of a write-only argument. Not to be logged, nor to be put into an error. */
  public writeOnly(name: string): string | undefined {
    const value = this.config?.[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  }

  private known(name: string): Value {
    const value = this.values[name];
    return value === undefined || !isKnown(value) ? null : value;
  }
}

function first(values: ObjectValue, name: string): ObjectValue | undefined {
  const list = values[name];
  const block = isList(list) ? list[0] : undefined;
  return isRecord(block) ? block : undefined;
}
