import { LocalBackend, PgBackend, S3Backend, type TerraformStack } from "cdktf";
import { ConfigurationError, show } from "../lib/errors";
import { POSTGRES_IDENTIFIER_BYTES } from "../lib/names";

/** Where in S3 the state is kept. */
export interface S3StateOptions {
  /** Name of the bucket. */
  readonly bucket: string;
  /** AWS region of the bucket, such as `eu-central-1`. */
  readonly region: string;
  /**
   * Key of the state in the bucket; the stack of a group adds its name, as in `orders/dev-billing.tfstate`.
   *
   * @default "<stack>/terraform.tfstate"
   */
  readonly key?: string;
  /** KMS key that encrypts it. @default - the bucket's */
  readonly kmsKeyId?: string;
}

/** Where an environment's Terraform state is kept. No credential belongs here: backends take theirs from the environment. */
export class StateBackend {
  /** `terraform.<stack>.tfstate` beside the synthesized output: for trying out, not for a team. */
  static local(): StateBackend {
    return new StateBackend((stack) => {
      // CDKTF's default is an absolute path, which would differ from machine to machine. Terraform runs in
      // <output>/stacks/<stack>, so this is the folder that holds the output.
      new LocalBackend(stack, { path: `../../../terraform.${stack.node.id}.tfstate` });
    });
  }

  /** An S3 bucket, encrypted, locked by a lock file in the bucket (Terraform and OpenTofu 1.10). */
  static s3(options: S3StateOptions): StateBackend {
    return new StateBackend((stack, group) => {
      const backend = new S3Backend(stack, {
        bucket: options.bucket,
        key: options.key === undefined ? `${stack.node.id}/terraform.tfstate` : keyOf(options.key, group),
        region: options.region,
        encrypt: true,
        kmsKeyId: options.kmsKeyId,
      });
      backend.addOverride("use_lockfile", true);
    });
  }

  /**
   * A PostgreSQL database, locked by advisory locks; the connection string comes from `PG_CONN_STR`. The stack of a group
   * adds its name to the schema's, as in `orders_dev_billing`.
   *
   * @param options schema that the state is kept in; `terraform_<stack>` unless named. With a group's name PostgreSQL has to keep it
   *   whole, in 63 bytes
   */
  static postgres(options: { readonly schemaName?: string } = {}): StateBackend {
    return new StateBackend((stack, group) => {
      const schemaName =
        options.schemaName === undefined
          ? `terraform_${stack.node.id.replaceAll("-", "_")}`
          : [options.schemaName, ...(group === undefined ? [] : [group.replaceAll("-", "_")])].join("_");
      requireWhole(stack.node.id, schemaName);
      // The binding wants a connection string, which would put its password into the synthesized file.
      const backend = new PgBackend(stack, { connStr: "", schemaName });
      backend.addOverride("conn_str", undefined);
    });
  }

  private constructor(
    /** Sets the backend of a stack, which is that of a group of the environment if one is named. */
    readonly bind: (stack: TerraformStack, group?: string) => void,
  ) {}
}

/** Two stacks in one state would destroy each other's resources. */
function keyOf(key: string, group: string | undefined): string {
  return group === undefined ? key : key.replace(/(\.[^./]*)?$/, (extension) => `-${group}${extension}`);
}

/** PostgreSQL shortens what is longer, by which two stacks would get one schema. */
function requireWhole(stack: string, schema: string): void {
  const bytes = Buffer.byteLength(schema, "utf8");
  if (bytes <= POSTGRES_IDENTIFIER_BYTES) return;
  throw new ConfigurationError(
    `The schema for the Terraform state of "${stack}" is ${show(schema)}, ${bytes} bytes long.`,
    `PostgreSQL keeps ${POSTGRES_IDENTIFIER_BYTES} bytes and drops the rest, by which two stacks could share a state. Name a shorter one: ` +
      'StateBackend.postgres({ schemaName: "orders_dev" }); that of a group adds its name. Where a state is there already, rename its ' +
      "schema, whose name has the first 63 bytes, before: ALTER SCHEMA … RENAME TO.",
  );
}
