import { ConfigurationError, show } from "../errors";
import { mayBeOneOf } from "../tokens";
import { CredentialsTemplate, type CredentialSource } from "./credentials-template";
import type { OnChange } from "./on-change";
import { absolutePath } from "./plain-text";

/** A file of credentials that an agent or consul-template keeps up to date. */
export interface CredentialsFile {
  /** Role that the credentials are of; who logs in needs `role.grantRead(appRole)`, or a policy to that end. */
  readonly source: CredentialSource;
  /** Absolute path, in a folder that is there already. The file is replaced as a whole. */
  readonly path: string;
  /** What the file holds. @default CredentialsTemplate.json() */
  readonly template?: CredentialsTemplate;
  /** Four octal digits: `0600` or `0400`, or `0640` or `0440` for a group that may read it. @default "0600" */
  readonly permissions?: string;
  /** What to do after the file has changed. @default - nothing: the application watches it */
  readonly onChange?: OnChange;
}

/**
 * The `template` block that the agents and consul-template share.
 *
 * @throws ConfigurationError for a relative path, or permissions for everybody
 */
export function templateBlock({ source, path, template, permissions, onChange }: CredentialsFile) {
  return {
    contents: (template ?? CredentialsTemplate.json()).textFor(source),
    destination: absolutePath("file of credentials", path),
    perms: checkPermissions(path, permissions ?? "0600"),
    // A missing folder would be made, and anybody could enter it.
    create_dest_dirs: false,
    // Rather no file than one with <no value> for a password.
    error_on_missing_key: true,
    exec: onChange && [{ command: [...onChange.command], timeout: onChange.timeout.toString() }],
  };
}

/**
 * Checks that there are files, each with a path that nothing else has.
 *
 * @param who writes them, for the message
 * @param inputs paths of files that it reads
 */
export function checkFiles(who: string, files: readonly CredentialsFile[], inputs: readonly string[]): void {
  if (files.length === 0) {
    throw new ConfigurationError(
      `The ${who} has no files to write.`,
      "Name one file of credentials or more.",
    );
  }
  const paths = [...inputs, ...files.map(({ path }) => path)];
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) {
    throw new ConfigurationError(
      `The path ${show(twice)} is there twice.`,
      "Give each file that is read and each file of credentials a path of its own.",
    );
  }
}

function checkPermissions(path: string, permissions: string): string {
  if (!mayBeOneOf(permissions, ["0600", "0400", "0640", "0440"])) {
    throw new ConfigurationError(
      `The file of credentials ${show(path)} has the permissions ${show(permissions)}.`,
      'Use "0600" or "0400" for its owner alone, "0640" or "0440" to let a group read it; nobody else may.',
    );
  }
  return permissions;
}
