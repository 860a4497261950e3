import * as fs from "node:fs";
import * as path from "node:path";
import { preparePostgresBinaries, restoreLinks } from "../../sandbox/postgres-binaries";
import { findTerraform } from "../../sandbox/terraform-binary";
import { isReachableByAll } from "../../sandbox/temporary-folder";
import { fakeProgram, problemOf, temporaryFolder } from "./helpers";

const { folder, remove } = temporaryFolder();
afterAll(remove);

const PATH = (bin: string) => [path.join(folder, bin), "/bin"].join(path.delimiter);
const answer = (version: string) => `{"terraform_version": "${version}"}`;

describe("Terraform", () => {
  test("is found on the PATH, before OpenTofu", async () => {
    const terraform = fakeProgram(path.join(folder, "both"), "terraform", answer("1.11.4"));
    fakeProgram(path.join(folder, "both"), "tofu", answer("1.12.6"));
    expect(await findTerraform({ PATH: PATH("both") })).toEqual({ path: terraform, version: "1.11.4" });
  });

  test("may be OpenTofu", async () => {
    const tofu = fakeProgram(path.join(folder, "one"), "tofu", answer("1.12.6"));
    expect(await findTerraform({ PATH: PATH("one") })).toEqual({ path: tofu, version: "1.12.6" });
  });

  test("is what TERRAFORM_BINARY_NAME names, by name or by path", async () => {
    const named = fakeProgram(path.join(folder, "named"), "my-terraform", answer("1.13.0"));
    for (const TERRAFORM_BINARY_NAME of ["my-terraform", named]) {
      expect(await findTerraform({ PATH: PATH("named"), TERRAFORM_BINARY_NAME })).toMatchObject({
        path: named,
      });
    }
  });

  test("that is missing is an error that says how to install it", async () => {
    const problem = await problemOf(findTerraform({ PATH: path.join(folder, "empty") }));
    expect(problem).toMatch(/Neither a terraform nor a tofu was found/);
    expect(problem).toMatch(/Install Terraform .*or OpenTofu .*1\.11\.0/);
  });

  test("that is too old is an error with both versions", async () => {
    fakeProgram(path.join(folder, "old"), "terraform", answer("1.10.5"));
    expect(await problemOf(findTerraform({ PATH: PATH("old") }))).toMatch(
      /is version 1\.10\.5, and 1\.11\.0 is the least/,
    );
  });
});

describe("PostgreSQL", () => {
  test("without its server is an error that names the missing program", () => {
    const bin = path.join(folder, "client-only");
    fakeProgram(bin, "initdb", "");
    expect(() => preparePostgresBinaries(bin, false, path.join(folder, "copy"))).toThrow(
      /no postgres in .*client-only/,
    );
  });

  test("below a private folder is copied for the user that the server runs as", () => {
    const home = path.join(folder, "private");
    fakeProgram(path.join(home, "native", "bin"), "initdb", "");
    fakeProgram(path.join(home, "native", "bin"), "postgres", "");
    fs.chmodSync(home, 0o700);
    const copyTo = path.join(folder, "copied");
    fs.chmodSync(folder, 0o755);
    const bin = path.join(home, "native", "bin");
    expect(preparePostgresBinaries(bin, false, copyTo).postgres).toBe(path.join(bin, "postgres"));
    const copied = preparePostgresBinaries(bin, true, copyTo).postgres;
    expect(copied).toBe(path.join(copyTo, "bin", "postgres"));
    expect(isReachableByAll(path.dirname(copied))).toBe(true);
    expect(fs.statSync(copied).mode & 0o777).toBe(0o755);
  });

  test("gets the links back that npm dropped", () => {
    const native = path.join(folder, "package", "native");
    fs.mkdirSync(path.join(native, "lib"), { recursive: true });
    fs.writeFileSync(path.join(native, "lib", "libpq.so.5.18"), "library");
    const links = [{ source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }];
    fs.writeFileSync(path.join(native, "pg-symlinks.json"), JSON.stringify(links));
    restoreLinks(native);
    restoreLinks(native);
    expect(fs.readFileSync(path.join(native, "lib", "libpq.so.5"), "utf8")).toBe("library");
  });
});
