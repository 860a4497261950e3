import { ref, TerraformVariable, Token } from "cdktf";
import type { Construct } from "constructs";
import { ConfigurationError, show } from "./errors";
import { freeId } from "./free-id";
import { terraformName, terraformText } from "./terraform-text";
import { isToken, isUnresolved } from "./tokens";

/**
 * One reference of Terraform's and nothing around it: a name, its attributes, and elements by a number or a key. Anything
 * else may hold a literal.
 */
const REFERENCE = /^\$\{\s*([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\[\d+\]|\["[\w./:@ -]+"\])+)\s*\}$/;

/** Options of `WriteOnlySecret.fromVariable`. */
export interface WriteOnlySecretProps {
  /** Shown by Terraform when it asks for the value. */
  readonly description?: string;
  /**
   * Terraform sends the value when it creates the resource and whenever this number changes, and never otherwise: a whole
   * number, 1 or more.
   *
   * @default 1
   */
  readonly version?: number;
}

/**
 * A secret that reaches a provider's write-only argument without being kept: it is in no synthesized file, plan or state.
 * Needs Terraform or OpenTofu 1.11.
 */
export class WriteOnlySecret {
  /**
   * A sensitive, ephemeral Terraform variable, set by `TF_VAR_<name>`.
   *
   * @param name of the variable, unique in the stack
   * @throws ConfigurationError for a name that is none for a variable, or declared there already, and a version that is no
   *   whole number, 1 or more
   */
  static fromVariable(scope: Construct, name: string, props: WriteOnlySecretProps = {}): WriteOnlySecret {
    if (scope.node.tryFindChild(name) instanceof TerraformVariable) {
      throw new ConfigurationError(
        `The variable ${show(name)} is declared twice in ${show(scope.node.path)}.`,
        "Keep the WriteOnlySecret of the first time, and pass it wherever its value is needed.",
      );
    }
    const variable = new TerraformVariable(
      scope,
      freeId(scope, "variable", terraformName("variable", name)),
      {
        type: "string",
        description: props.description && terraformText("description of a variable", props.description),
        sensitive: true,
        nullable: false,
      },
    );
    variable.overrideLogicalId(name);
    variable.addOverride("ephemeral", true);
    return new WriteOnlySecret(variable.stringValue, props.version ?? 1, variable);
  }

  /**
   * An ephemeral value of Terraform, such as an attribute of an ephemeral resource.
   *
   * @param expression one reference such as `${ephemeral.vault_kv_secret_v2.manager.data.password}`, or one CDKTF token, such
   *   as that of a function of Terraform's (`Fn`) on a reference
   * @throws ConfigurationError for everything else: what of it is plain would be written into the synthesized file
   */
  static fromExpression(expression: string, version = 1): WriteOnlySecret {
    const isText = typeof expression === "string";
    const reference = isText ? REFERENCE.exec(expression)?.[1] : undefined;
    if (reference !== undefined) return new WriteOnlySecret(Token.asString(ref(reference)), version);
    if (isText && isToken(expression)) return new WriteOnlySecret(expression, version);
    // It is not shown, for it may hold the secret.
    throw new ConfigurationError(
      "A write-only secret is not a single reference, so that plain text of it would stand in the synthesized file.",
      "Pass a Terraform expression of one reference and nothing else, such as ${ephemeral.vault_kv_secret_v2.manager.data.password}, or one CDKTF token; or use WriteOnlySecret.fromVariable.",
    );
  }

  private constructor(
    /** Reference to the value. */
    readonly value: string,
    /** Number that says when to send it. */
    readonly version: number,
    /** Terraform's variable, for validations of its value; absent for another expression. */
    readonly variable?: TerraformVariable,
  ) {
    if (!isUnresolved(version) && (!Number.isSafeInteger(version) || version < 1)) {
      throw new ConfigurationError(
        `A write-only secret has the version ${show(version)}.`,
        "Use a whole number, 1 or more: without one the provider never sends the value.",
      );
    }
  }
}
