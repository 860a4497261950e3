import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { UserError } from "./errors";

/**
 * Sees, before a secret is made, that there will be a place for it.
 *
 * @throws UserError if the name is none of a file, the file is there and may not be replaced, or its folder is not there or may
 *   not be written to
 */
export function requirePlace(file: string, replace: boolean): void {
  const isFolder = (name: string) => fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
  if (file === "" || file.endsWith("/") || isFolder(file)) {
    throw new UserError(`"${file}" is no name of a file.`, "Name the file that the SecretID is to be in.");
  }
  const folder = path.dirname(path.resolve(file));
  if (!isFolder(folder)) {
    throw new UserError(
      `There is no folder ${folder}.`,
      "Make it, with mode 700 and the owner of the application.",
    );
  }
  if (fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined && !replace) throw alreadyThere(file);
  try {
    fs.accessSync(folder, fs.constants.W_OK);
  } catch {
    throw new UserError(
      `${folder} may not be written to.`,
      "Have it owned by who runs this, or name another.",
    );
  }
}

/**
 * Writes a secret that its owner alone may read. Whoever reads the file sees all of it or what was there before.
 *
 * @throws UserError if the file has come to be there and may not be replaced
 */
export function writeSecret(file: string, secret: string, replace: boolean): void {
  const temporary = `${path.resolve(file)}.${randomBytes(6).toString("hex")}`;
  try {
    fs.writeFileSync(temporary, secret, { mode: 0o600, flag: "wx", flush: true });
    // A link, other than a rename, does not replace.
    if (replace) fs.renameSync(temporary, file);
    else fs.linkSync(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw alreadyThere(file);
    throw error;
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

function alreadyThere(file: string): UserError {
  return new UserError(`${file} is there already.`, "Name another file, or add --force to replace it.");
}
