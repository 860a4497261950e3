import * as path from "node:path";

/** The project's own cdktf, for `node` to run. */
export const CDKTF = path.join(
  path.dirname(require.resolve("cdktf-cli/package.json")),
  "bundle",
  "bin",
  "cdktf",
);
