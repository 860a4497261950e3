// The password that a state holds (the argument `password`, not the write-only one), against the server's.
import { createHash } from "node:crypto";
import type { Attributes } from "../resource/attributes";
import { currentUser } from "./membership";
import type { PostgresServer } from "./server";

export async function readPassword(
  server: PostgresServer,
  role: string,
  known: Attributes,
  canLogin: boolean,
): Promise<string> {
  const password = known.text("password");
  // Only a superuser may read hashes, and only a login has one.
  if (!canLogin || !server.settings.superuser) {
    return password;
  }
  return server.session(async (session) => {
    if (!(await currentUser(session)).superuser) {
      throw new Error(
        `the login ${server.settings.username} is no superuser and cannot read password hashes: ` +
          "set `superuser = false` in the provider configuration",
      );
    }
    const rows = await session.query(
      "SELECT COALESCE(passwd, '') AS hash FROM pg_catalog.pg_shadow WHERE usename OPERATOR(pg_catalog.=) $1",
      [role],
    );
    const hash = rows[0] === undefined ? "" : String(rows[0].hash);
    const isHash = /^(md5|SCRAM-SHA-256)/.test(password);
    const matches =
      hash.startsWith("SCRAM-SHA-256") ||
      hash === `md5${createHash("md5").update(`${password}${role}`).digest("hex")}`;
    return !isHash && matches ? password : hash;
  });
}
