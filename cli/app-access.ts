import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { AccessReport } from "../lib";
import { UserError } from "./errors";
import { synthesize } from "./terraform";

/** Names the folder that cli/bin/access-preload.js writes into. */
const VARIABLE = "CDKTF_DATABASE_CREDENTIALS_ACCESS";

/** What the constructs of a stack, and of those of its groups, say. */
export interface StackAccess {
  readonly stack: string;
  /** Stacks of its groups, which the report covers. */
  readonly groups: readonly string[];
  readonly report: AccessReport;
}

/**
 * Runs the app of the folder we are in as `cdktf synth` does, and asks its constructs. What is synthesized is thrown away.
 *
 * @throws UserError if there is no app here, if it fails, and if it has none of our constructs
 */
export async function accessOfApp(env: NodeJS.ProcessEnv): Promise<readonly StackAccess[]> {
  if (!fs.existsSync("cdktf.json")) {
    throw new UserError("There is no cdktf.json here.", "Go to the folder of your app, and run this again.");
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "access-"));
  try {
    const preload = `--require ${JSON.stringify(preloadFile())}`;
    const options = [env.NODE_OPTIONS, preload].filter((option) => option !== undefined).join(" ");
    const watched = path.join(folder, "reports");
    fs.mkdirSync(watched);
    await synthesize(path.join(folder, "out"), { ...env, NODE_OPTIONS: options, [VARIABLE]: watched });
    const found = fs
      .readdirSync(watched)
      .flatMap((name) => JSON.parse(fs.readFileSync(path.join(watched, name), "utf8")) as StackAccess[]);
    if (found.length > 0) return found;
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`The app fails.\n${(error as Error).message}`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  throw new UserError(
    "The app has no constructs of cdktf-database-credentials, or of a version that does not tell.",
    "Its app in cdktf.json has to run on Node.js, with this version of the package.",
  );
}

/** In a checkout, and in the package, where this file is compiled. */
function preloadFile(): string {
  const places = [path.join(__dirname, "bin"), path.join(__dirname, "..", "..", "cli", "bin")];
  const files = places.map((place) => path.join(place, "access-preload.js"));
  return files.find((file) => fs.existsSync(file)) ?? files[0]!;
}
