import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { UserError } from "./errors";

/**
 * Sees, before a secret is made, that there will be a place for it.
 *
 * @throws UserError if the file is there and may not be replaced, or its folder is not there
 */
export function requirePlace(file: string, replace: boolean): void {
  const folder = path.dirname(path.resolve(file));
  if (!fs.existsSync(folder)) {
    throw new UserError(
      `There is no folder ${folder}.`,
      "Make it, with mode 700 and the owner of the application.",
    );
  }
  if (fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined && !replace) throw alreadyThere(file);
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
