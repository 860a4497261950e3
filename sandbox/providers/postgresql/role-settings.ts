// What a role sets for its sessions: ALTER ROLE … SET.
import type { Attributes } from "../resource/attributes";
import type { Session } from "./server";
import { identifier, list } from "./sql";

export async function writeSettings(session: Session, role: string, wanted: Attributes): Promise<void> {
  const alter = (change: string) => session.query(`ALTER ROLE ${identifier(role)} ${change}`);
  const path = wanted.texts("search_path");
  const unsplittable = path.find((schema) => schema.includes(", "));
  if (unsplittable !== undefined) {
    throw new Error(`search_path cannot hold a schema with ", " in its name: ${unsplittable}`);
  }
  await alter(`SET search_path TO ${path.length === 0 ? "DEFAULT" : list(path)}`);
  for (const timeout of ["statement_timeout", "idle_in_transaction_session_timeout"]) {
    if (wanted.changed(timeout)) {
      const milliseconds = wanted.number(timeout);
      await alter(milliseconds === 0 ? `RESET ${timeout}` : `SET ${timeout} TO ${milliseconds}`);
    }
  }
  if (wanted.changed("assume_role")) {
    const other = wanted.text("assume_role");
    await alter(other === "" ? "RESET ROLE" : `SET ROLE TO ${identifier(other)}`);
  }
}

/** One setting out of a role's `rolconfig`, which holds them as name=value. */
export function setting(config: readonly string[], name: string): string | undefined {
  return config.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
}
