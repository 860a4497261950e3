import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseProviders, providerMode } from "../../sandbox/providers/choose";

let directory: string;
const before = { ...process.env };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "choose-"));
  for (const name of ["SANDBOX_PROVIDERS", "TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR"]) {
    delete process.env[name];
  }
  process.env.XDG_CACHE_HOME = join(directory, "cache");
});

afterEach(() => {
  process.env = { ...before };
  rmSync(directory, { recursive: true, force: true });
});

/** A Terraform that does as told, and notes how it was called. */
function fakeTerraform(script: string): string {
  const file = join(directory, "terraform");
  writeFileSync(file, `#!/bin/sh\necho "$@ config=$TF_CLI_CONFIG_FILE" >> ${directory}/calls\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

function calls(): string[] {
  const file = join(directory, "calls");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
}

const UNREACHABLE = `cat >&2 <<'END'

Error: Failed to query available provider packages

Could not retrieve the list of available versions for provider
hashicorp/vault: could not connect to registry.terraform.io: failed to
request discovery document: Get
"https://registry.terraform.io/.well-known/terraform.json": dial tcp: lookup
registry.terraform.io: no such host
END
exit 1`;
const NOT_IN_MIRROR = `cat >&2 <<'END'
Error: Failed to query available provider packages

Could not retrieve the list of available versions for provider
hashicorp/vault: provider registry.terraform.io/hashicorp/vault was not found
in any of the search locations

  - /mirror
END
exit 1`;
const REFUSED = "echo 'Error: no available releases match the given constraints 5.6.0' >&2; exit 1";
const INSTALLS_LINKS = [
  "mkdir -p mine .terraform/providers/registry.terraform.io/hashicorp/vault/5.6.0",
  "ln -s $PWD/mine .terraform/providers/registry.terraform.io/hashicorp/vault/5.6.0/linux_amd64",
].join("\n");
const DOWNLOADS = ["hashicorp/vault/5.6.0", "cyrilgdn/postgresql/1.26.0"]
  .map((each) => `.terraform/providers/registry.terraform.io/${each}/linux_amd64`)
  .map((each) => `mkdir -p ${each}; echo plugin > ${each}/terraform-provider`)
  .join("\n");

describe("the provider plugins", () => {
  it("are Terraform's where it can install them, with the user's own settings", async () => {
    const settings = join(directory, "user.rc");
    writeFileSync(settings, "");
    process.env.TF_CLI_CONFIG_FILE = settings;
    const chosen = await chooseProviders({ directory, terraform: fakeTerraform(INSTALLS_LINKS) });
    expect(chosen).toMatchObject({ kind: "installed", env: { TF_CLI_CONFIG_FILE: settings } });
    expect(calls()).toEqual([expect.stringMatching(/^init .*config=.*user\.rc$/)]);
  });

  it("are downloaded once and kept, the next time taken from there", async () => {
    const terraform = fakeTerraform(DOWNLOADS);
    const first = await chooseProviders({ directory, terraform });
    expect(first.kind).toBe("installed");
    const mirror = readFileSync(first.env.TF_CLI_CONFIG_FILE ?? "", "utf8");
    expect(mirror).toContain(join(directory, "cache"));
    const again = join(directory, "again");
    const second = await chooseProviders({ directory: again, terraform });
    expect(second.kind).toBe("installed");
    expect(calls()).toHaveLength(2);
    expect(calls()[1]).toContain(`config=${again}`);
  });

  it("are stand-ins where the registry cannot be reached, which is said with the reason", async () => {
    const chosen = await chooseProviders({ directory, terraform: fakeTerraform(UNREACHABLE) });
    expect(chosen.kind).toBe("standin");
    expect(chosen.message).toBe(
      "Provider plugins: stand-ins (the registry could not be reached: lookup registry.terraform.io: no such host)",
    );
    expect(existsSync(chosen.env.TF_CLI_CONFIG_FILE ?? "")).toBe(true);
  });

  it("are stand-ins where the user's mirrors, and no registry, are all that Terraform may ask", async () => {
    const chosen = await chooseProviders({ directory, terraform: fakeTerraform(NOT_IN_MIRROR) });
    expect(chosen.kind).toBe("standin");
    expect(chosen.message).toContain("no source in Terraform's CLI configuration has them");
  });

  it("are an error where Terraform refuses for another reason", async () => {
    const chosen = chooseProviders({ directory, terraform: fakeTerraform(REFUSED) });
    await expect(chosen).rejects.toThrow(/no available releases match/);
  });

  it("are an error where they must be Terraform's and the registry cannot be reached", async () => {
    const terraform = fakeTerraform(UNREACHABLE);
    await expect(chooseProviders({ directory, terraform, mode: "installed" })).rejects.toThrow(
      /no such host/,
    );
  });

  it("are stand-ins where they must be, without a look at the registry", async () => {
    process.env.SANDBOX_PROVIDERS = "standin";
    const chosen = await chooseProviders({ directory, terraform: fakeTerraform("exit 9") });
    expect(chosen.kind).toBe("standin");
    expect(calls()).toEqual([]);
  });
});

describe("SANDBOX_PROVIDERS", () => {
  it("is auto unless set", () => {
    expect(providerMode({})).toBe("auto");
    expect(providerMode({ SANDBOX_PROVIDERS: "" })).toBe("auto");
    expect(providerMode({ SANDBOX_PROVIDERS: "installed" })).toBe("installed");
  });

  it("is refused with any other value, and the allowed ones are named", () => {
    const choose = () => providerMode({ SANDBOX_PROVIDERS: "real" });
    expect(choose).toThrow(/SANDBOX_PROVIDERS is "real"/);
    const remedy: unknown = expect.stringContaining("auto, installed, standin");
    expect(choose).toThrow(expect.objectContaining({ remedy }) as Error);
  });
});
