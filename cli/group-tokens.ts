import { concurrently } from "./concurrently";
import { AnswerFields, VaultError, type VaultClient } from "./vault-client";

/** A token that an AppRole got by logging in, known by its accessor. */
export interface GroupToken {
  readonly accessor: string;
  /** Name of the AppRole. */
  readonly approle: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Names of its policies, by which it may read what it reads. */
  readonly policies: readonly string[];
}

/**
 * Tokens of the AppRoles of an auth method. Batch tokens have no accessor and are not among them.
 *
 * @param mount path of the auth method below `auth/`
 * @throws VaultError if Vault refuses the list, or every look-up
 */
export function groupTokens(vault: VaultClient, mount: string): Promise<GroupToken[]> {
  return new TokenLook(vault, mount).now();
}

/** Looks at tokens again and again, and asks for each once: whose it is stays the same, and a namespace may have many. */
export class TokenLook {
  private readonly known = new Map<string, FoundToken>();

  /** @param mount path of the auth method below `auth/` */
  constructor(
    private readonly vault: VaultClient,
    private readonly mount: string,
  ) {}

  /** Tokens that there are now. @throws as {@link groupTokens} */
  async now(): Promise<GroupToken[]> {
    const accessors = await this.vault.list("auth/token/accessors");
    const answers = await concurrently(
      accessors,
      async (accessor) => this.known.get(accessor) ?? lookUp(this.vault, accessor),
    );
    // A token that is being made or ended at this moment is refused, too, but at most some are; ours is not.
    const refusal = answers.find((answer) => answer instanceof VaultError);
    if (refusal !== undefined && answers.every((answer) => answer instanceof VaultError)) throw refusal;
    const found = answers.flatMap((answer) =>
      answer === undefined || answer instanceof VaultError ? [] : [answer],
    );
    found.forEach((token) => this.known.set(token.accessor, token));
    return found.filter(({ path }) => path === `auth/${this.mount}/login`);
  }
}

type FoundToken = GroupToken & { readonly path: string };

async function lookUp(vault: VaultClient, accessor: string): Promise<FoundToken | VaultError | undefined> {
  const path = "auth/token/lookup-accessor";
  try {
    const { data } = await vault.write(path, { accessor });
    const token = new AnswerFields(path, data);
    const meta = (data?.meta ?? {}) as { role_name?: string };
    return {
      accessor,
      approle: meta.role_name ?? "",
      createdAt: token.number("creation_time") * 1_000,
      policies: token.texts("policies"),
      path: token.text("path"),
    };
  } catch (error) {
    if (hasEnded(error)) return undefined;
    if (error instanceof VaultError && error.status === 403) return error;
    throw error;
  }
}

/** Whether a token was refused because it ended in the meantime. */
export function hasEnded(error: unknown): boolean {
  return error instanceof VaultError && error.message.includes("invalid accessor");
}
