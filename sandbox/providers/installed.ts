// Lets Terraform install the two plugins once, and keeps what it downloaded for the next time.
import { execFile } from "node:child_process";
import { cp, lstat, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheFolder } from "../engine-binary";
import { mirrorConfiguration } from "./cli-configuration";
import { providerSource, providerVersion, type ProviderName } from "./versions";

export type InstallAttempt =
  | { readonly outcome: "installed"; readonly description: string; readonly env: Record<string, string> }
  | { readonly outcome: "unreachable"; readonly reason: string; readonly output: string }
  | { readonly outcome: "refused"; readonly output: string };

const NAMES: readonly ProviderName[] = ["vault", "postgresql"];

/** Downloads are of some 100 MB; a registry that drops packets is given up on much earlier, see below. */
const INIT_TIMEOUT_MS = 300_000;

/** How Terraform, and the proxy or mirror on its way, say that nobody answers. */
const UNREACHABLE =
  /could not connect to|no such host|connection refused|connection reset|network is unreachable|no route to host|i\/o timeout|Client\.Timeout|context deadline exceeded|TLS handshake timeout|proxyconnect|server misbehaving/i;

/** How Terraform says that its CLI configuration leaves the registry out, and that no mirror in it has the plugin. */
const WITHOUT_SOURCE = /was not found in any of the search locations/i;

/** What of the user's environment says where Terraform gets plugins from. */
const INSTALLATION_SETTINGS =
  /^(TF_CLI_CONFIG_FILE|TERRAFORM_CONFIG|TF_PLUGIN_CACHE_\w+|TF_REGISTRY_\w+|TF_TOKEN_\w+)$/;

/** What would make `terraform init` do something else than asked for. */
const DISTURBING = /^(TF_CLI_ARGS.*|TF_DATA_DIR|TF_WORKSPACE|TF_LOG.*)$/;

export async function installPlugins(
  terraform: string,
  directory: string,
  environment: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<InstallAttempt> {
  await mkdir(directory, { recursive: true });
  const versions = NAMES.map((name) => `${name} ${providerVersion(name)}`).join(" and ");
  const cache = join(cacheFolder(environment), "provider-plugins");
  const cacheConfiguration = join(directory, "terraform.rc");
  await writeFile(cacheConfiguration, mirrorConfiguration(cache));
  const fromCache: InstallAttempt = {
    outcome: "installed",
    description: `${versions}, as Terraform installed them, kept in ${cache}`,
    env: { TF_CLI_CONFIG_FILE: cacheConfiguration },
  };
  // A configuration that was named on purpose goes before what an earlier run left behind.
  const named = environment.TF_CLI_CONFIG_FILE;
  const hasOwn = named !== undefined && (await exists(named));
  if (!hasOwn && (await exists(cache))) {
    const kept = await init(terraform, join(directory, "kept"), { ...environment, ...fromCache.env }, signal);
    if (kept.ok) {
      return fromCache;
    }
  }
  const fresh = join(directory, "fresh");
  const { ok, output } = await init(terraform, fresh, environment, signal);
  if (!ok) {
    if (UNREACHABLE.test(output)) {
      return {
        outcome: "unreachable",
        reason: `the registry could not be reached: ${reasonIn(output)}`,
        output,
      };
    }
    if (WITHOUT_SOURCE.test(output.replace(/\s+/g, " "))) {
      return {
        outcome: "unreachable",
        reason: "no source in Terraform's CLI configuration has them",
        output,
      };
    }
    return { outcome: "refused", output };
  }
  if (await keep(join(fresh, ".terraform", "providers"), cache)) {
    return fromCache;
  }
  const settings = Object.entries(environment).filter(
    (entry): entry is [string, string] => INSTALLATION_SETTINGS.test(entry[0]) && entry[1] !== undefined,
  );
  return {
    outcome: "installed",
    description: `${versions}, as Terraform installs them`,
    env: Object.fromEntries(settings),
  };
}

async function init(
  terraform: string,
  directory: string,
  environment: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<{ ok: boolean; output: string }> {
  await mkdir(directory, { recursive: true });
  const required = Object.fromEntries(
    NAMES.map((name) => {
      const { namespace, type } = providerSource(name);
      return [name, { source: `${namespace}/${type}`, version: providerVersion(name) }];
    }),
  );
  await writeFile(
    join(directory, "main.tf.json"),
    JSON.stringify({ terraform: { required_providers: required } }),
  );
  const env = {
    // Without an answer these give up after some ten seconds, not after minutes.
    TF_REGISTRY_CLIENT_TIMEOUT: "10",
    TF_REGISTRY_DISCOVERY_RETRY: "0",
    ...Object.fromEntries(Object.entries(environment).filter(([name]) => !DISTURBING.test(name))),
    CHECKPOINT_DISABLE: "1",
    TF_IN_AUTOMATION: "1",
  };
  return new Promise((resolve) => {
    const args = ["init", "-input=false", "-no-color", "-backend=false"];
    const options = { cwd: directory, env, timeout: INIT_TIMEOUT_MS, signal };
    execFile(terraform, args, options, (error, stdout, stderr) => {
      const late = error?.killed ? `i/o timeout: no end after ${INIT_TIMEOUT_MS / 1000} s` : "";
      const unstarted = error !== null && typeof error.code === "string" ? error.message : "";
      resolve({
        ok: error === null,
        output: [stderr.trim() || stdout.trim(), late, unstarted].join("\n").trim(),
      });
    });
  });
}

/** Copies what was downloaded; false if nothing was, and Terraform only points to a mirror or cache of the user. */
async function keep(installed: string, cache: string): Promise<boolean> {
  for (const name of NAMES) {
    const packages = await packagesOf(installed, name);
    for (const relative of packages) {
      const from = join(installed, relative);
      if ((await lstat(from)).isSymbolicLink()) {
        return false;
      }
      const to = join(cache, relative);
      if (await exists(to)) {
        continue;
      }
      // Moved into place whole, so that another run beside this one never sees half a package.
      await mkdir(dirname(to), { recursive: true });
      const partial = await mkdtemp(join(cache, "partial-"));
      await cp(from, join(partial, "package"), { recursive: true });
      await rename(join(partial, "package"), to).catch(() => undefined);
      await rm(partial, { recursive: true, force: true });
    }
  }
  return true;
}

/** Folders such as registry.terraform.io/hashicorp/vault/5.6.0/linux_amd64. */
async function packagesOf(installed: string, name: ProviderName): Promise<string[]> {
  const { namespace, type } = providerSource(name);
  const found: string[] = [];
  for (const host of await readdir(installed)) {
    const version = join(host, namespace, type, providerVersion(name));
    const platforms = await readdir(join(installed, version)).catch(() => []);
    found.push(...platforms.map((platform) => join(version, platform)));
  }
  return found;
}

/** The clause that says why, out of a message that Terraform has broken into lines. */
export function reasonIn(output: string): string {
  const paragraph = output
    .split(/\n\s*\n/)
    .map((lines) => lines.replace(/[\s│╷╵]+/g, " ").trim())
    .find((text) => UNREACHABLE.test(text) && !text.startsWith("Error:"));
  const text = paragraph ?? output.replace(/[\s│╷╵]+/g, " ").trim();
  return text.replace(/^.*"https?:\/\/[^"]*": /, "").replace(/^dial tcp: /, "");
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
