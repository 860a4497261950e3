// Whether Terraform can install the real plugins here, for the tests that compare the stand-ins with them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reasonIn } from "../../sandbox/providers/installed";
import { providerSource, providerVersion, type ProviderName } from "../../sandbox/providers/versions";

const NAMES: readonly ProviderName[] = ["vault", "postgresql"];

export type RealPlugins =
  | { readonly installed: true; readonly directory: string; readonly environment: Record<string, string> }
  | { readonly installed: false; readonly reason: string };

/** Initializes an empty folder with the user's own CLI configuration, while jest collects the tests. */
export function realPlugins(terraform: string): RealPlugins {
  const directory = mkdtempSync(join(tmpdir(), "real-plugins-"));
  const required = Object.fromEntries(
    NAMES.map((name) => {
      const { namespace, type } = providerSource(name);
      return [name, { source: `${namespace}/${type}`, version: providerVersion(name) }];
    }),
  );
  writeFileSync(
    join(directory, "main.tf.json"),
    JSON.stringify({ terraform: { required_providers: required } }),
  );
  const { status, stderr, error } = spawnSync(terraform, ["init", "-no-color", "-input=false"], {
    cwd: directory,
    encoding: "utf8",
    env: {
      TF_REGISTRY_CLIENT_TIMEOUT: "10",
      TF_REGISTRY_DISCOVERY_RETRY: "0",
      ...process.env,
      CHECKPOINT_DISABLE: "1",
    },
  });
  if (status !== 0) {
    rmSync(directory, { recursive: true, force: true });
    return { installed: false, reason: error?.message ?? reasonIn(stderr) };
  }
  const settings = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      /^(TF_CLI_CONFIG_FILE|TF_PLUGIN_CACHE_)/.test(entry[0]) && !!entry[1],
  );
  return { installed: true, directory, environment: Object.fromEntries(settings) };
}

/** Skipped where the real plugins are missing, which is said in the output. */
export function describeWithRealPlugins(real: RealPlugins, name: string, tests: () => void): void {
  if (real.installed) {
    describe(name, () => {
      afterAll(() => rmSync(real.directory, { recursive: true, force: true }));
      tests();
    });
    return;
  }
  process.stderr.write(`SKIPPED: ${name}: Terraform cannot install the real plugins here: ${real.reason}\n`);
  describe.skip(name, tests);
}
