import { LocalBackend, PgBackend, S3Backend, type TerraformStack } from "cdktf";

/** Where in S3 the state is kept. */
export interface S3StateOptions {
  /** Name of the bucket. */
  readonly bucket: string;
  /** AWS region of the bucket, such as `eu-central-1`. */
  readonly region: string;
  /** Key of the state in the bucket. @default "<stack>/terraform.tfstate" */
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
    return new StateBackend((stack) => {
      const backend = new S3Backend(stack, {
        bucket: options.bucket,
        key: options.key ?? `${stack.node.id}/terraform.tfstate`,
        region: options.region,
        encrypt: true,
        kmsKeyId: options.kmsKeyId,
      });
      backend.addOverride("use_lockfile", true);
    });
  }

  /**
   * A PostgreSQL database, locked by advisory locks; the connection string comes from `PG_CONN_STR`.
   *
   * @param options schema that the state is kept in; `terraform_<stack>` unless named
   */
  static postgres(options: { readonly schemaName?: string } = {}): StateBackend {
    return new StateBackend((stack) => {
      const schemaName = options.schemaName ?? `terraform_${stack.node.id.replaceAll("-", "_")}`;
      // The binding wants a connection string, which would put its password into the synthesized file.
      const backend = new PgBackend(stack, { connStr: "", schemaName });
      backend.addOverride("conn_str", undefined);
    });
  }

  private constructor(
    /** Sets the backend of a stack. */
    readonly bind: (stack: TerraformStack) => void,
  ) {}
}
