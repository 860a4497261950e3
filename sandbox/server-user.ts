import { execFileSync } from "node:child_process";
import { UserError } from "../cli/errors";

export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const CREATED = "cdktf-sandbox";

/**
 * The user that PostgreSQL runs as when we are root, which it refuses to run as; undefined when we are not root. It has
 * to be one that the system knows by name. We prefer those that are there, and leave the system as it is.
 */
export function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const existing = lookUp("postgres") ?? lookUp(CREATED) ?? lookUp("nobody");
  if (existing !== undefined) return existing;
  try {
    execFileSync(
      "useradd",
      ["--system", "--user-group", "--no-create-home", "--shell", "/bin/false", CREATED],
      {
        stdio: "ignore",
      },
    );
  } catch {
    // Reported below, with what to do.
  }
  const created = lookUp(CREATED);
  if (created !== undefined) return created;
  throw new UserError(
    "PostgreSQL does not run as root, and there is no other system user (postgres, nobody) for it.",
    `Run as a normal user, or create one: useradd --system ${CREATED}`,
  );
}

function lookUp(name: string): ServerUser | undefined {
  const number = (flag: string): number =>
    Number(
      execFileSync("id", [flag, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim(),
    );
  try {
    const user = { name, uid: number("-u"), gid: number("-g") };
    return Number.isInteger(user.uid) && user.uid !== 0 ? user : undefined;
  } catch {
    return undefined;
  }
}
