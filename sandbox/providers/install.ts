// Puts the stand-ins where Terraform and OpenTofu look for provider plugins: in a filesystem mirror that a CLI
// configuration of ours names, for these two providers only.
import { execFile } from "node:child_process";
import { chmod, copyFile, link, mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { mirrorConfiguration, REGISTRIES } from "./cli-configuration";
import { PROVIDERS } from "./providers";
import { deriveProviderSchema } from "./schema/derive";
import { providerSource, providerVersion, type ProviderName } from "./versions";

const SYSTEMS: Readonly<Partial<Record<NodeJS.Platform, string>>> = { linux: "linux", darwin: "darwin" };
/** The plugin is a script: one for every processor that a Terraform on this system may have been built for. */
const PROCESSORS = ["amd64", "arm64"];

export async function installStandIns(directory: string): Promise<{ cliConfigFile: string }> {
  const system = SYSTEMS[process.platform];
  if (system === undefined) {
    throw new Error(
      `The stand-ins for the provider plugins run on Linux and macOS, not on ${process.platform}. ` +
        "Let Terraform install the plugins: SANDBOX_PROVIDERS=installed",
    );
  }
  const root = resolve(directory);
  const mirror = join(root, "mirror");
  await rm(mirror, { recursive: true, force: true });
  await mkdir(mirror, { recursive: true });
  const bundle = join(root, "plugin.cjs");
  await bundlePlugin(bundle);
  for (const name of Object.keys(PROVIDERS) as ProviderName[]) {
    const schema = join(root, `${name}.schema.json`);
    await writeFile(schema, JSON.stringify(deriveProviderSchema(PROVIDERS[name])));
    for (const host of REGISTRIES) {
      for (const processor of PROCESSORS) {
        await installPackage(mirror, host, name, `${system}_${processor}`, { bundle, schema });
      }
    }
  }
  const cliConfigFile = join(root, "terraform.rc");
  await writeFile(cliConfigFile, mirrorConfiguration(mirror));
  return { cliConfigFile };
}

/** One file of plain JavaScript: Terraform starts a plugin several times a command, and loading sources is slow. */
async function bundlePlugin(outfile: string): Promise<void> {
  await promisify(execFile)(require.resolve("esbuild/bin/esbuild"), [
    join(__dirname, "plugin.ts"),
    "--bundle",
    "--platform=node",
    "--target=node20",
    "--minify-syntax",
    "--minify-whitespace",
    "--log-level=error",
    // An optional native driver, which is not there.
    "--external:pg-native",
    `--outfile=${outfile}`,
  ]);
}

/** Each package has all that it needs in it, since Terraform may copy the directory. */
async function installPackage(
  mirror: string,
  host: string,
  provider: ProviderName,
  platform: string,
  files: { bundle: string; schema: string },
): Promise<void> {
  const { namespace, type } = providerSource(provider);
  const version = providerVersion(provider);
  const directory = join(mirror, host, namespace, type, version, platform);
  await mkdir(directory, { recursive: true });
  await share(files.bundle, join(directory, "plugin.cjs"));
  await share(files.schema, join(directory, "schema.json"));
  const executable = join(directory, `terraform-provider-${type}_v${version}`);
  await writeFile(
    executable,
    [
      "#!/bin/sh",
      'here=$(dirname "$0")',
      `exec ${shellQuoted(process.execPath)} "$here/plugin.cjs" ${provider} "$here/schema.json"`,
      "",
    ].join("\n"),
  );
  await chmod(executable, 0o755);
}

async function share(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
