import type { ITerraformDependable } from "cdktf";
import type { IConstruct } from "constructs";

/** A role of PostgreSQL, with or without LOGIN. */
export interface IPostgresRole extends IConstruct {
  /** Name of the role in PostgreSQL. */
  readonly name: string;
  /** The role itself, without its grants; absent if it is managed elsewhere. */
  readonly resource?: ITerraformDependable;
}
