import * as path from "node:path";
import { UserError } from "./errors";

/**
 * The program of cdktf, for `node` to run: that of the folder we are in, else the one beside us.
 *
 * @throws UserError where there is none
 */
export function cdktfProgram(): string {
  try {
    const manifest = require.resolve("cdktf-cli/package.json", { paths: [process.cwd(), __dirname] });
    return path.join(path.dirname(manifest), "bundle", "bin", "cdktf");
  } catch {
    throw new UserError("There is no cdktf here.", "Install it: npm install --save-dev cdktf-cli");
  }
}
