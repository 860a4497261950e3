import * as fs from "node:fs";
import * as path from "node:path";

const PROJECT = path.resolve(__dirname, "../..");
const WORKFLOW = fs.readFileSync(path.join(PROJECT, ".github/workflows/ci.yml"), "utf8");

/** The lines below a key, up to the next line that is not indented more. */
function below(text: string, key: string): string {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.trim() === `${key}:`);
  const indent = (line: string) => line.search(/\S/);
  const at = indent(lines[start] ?? "");
  const end = lines.findIndex((line, index) => index > start && line.trim() !== "" && indent(line) <= at);
  return start < 0 ? "" : lines.slice(start + 1, end < 0 ? undefined : end).join("\n");
}

/** Steps of a job, each from its dash to the next. */
function stepsOf(job: string): string[] {
  return below(below(WORKFLOW, job), "steps")
    .split(/^ {6}- /m)
    .slice(1);
}

describe("the workflow of GitHub Actions", () => {
  test("runs .ci/run on both Terraforms with both engines", () => {
    const matrix = below(below(WORKFLOW, "test"), "matrix");
    expect(matrix).toContain("terraform: [terraform, tofu]\n");
    expect(matrix).toContain("engine: [openbao, vault]\n");
    expect(matrix).not.toMatch(/\b(exclude|include):/);

    // On its own, so that no condition leaves it out of a combination.
    expect(stepsOf("test").filter((step) => step.includes(".ci/run"))).toEqual(["run: .ci/run\n"]);
    expect(below(WORKFLOW, "test")).toContain("TERRAFORM_BINARY_NAME: ${{ matrix.terraform }}");
  });

  test("installs what each combination names", () => {
    const conditional = stepsOf("test").filter((step) => step.startsWith("if: "));
    expect(conditional.map((step) => step.split("\n")[0])).toEqual([
      "if: matrix.terraform == 'terraform'",
      "if: matrix.terraform == 'tofu'",
      "if: matrix.engine == 'vault'",
    ]);
    expect(conditional[0]).toContain("terraform_wrapper: false");
    expect(conditional[1]).toContain("tofu_wrapper: false");
    expect(conditional[2]).toContain("SANDBOX_VAULT_BINARY=");
  });

  test("runs the full set, and not for a pull request", () => {
    expect(stepsOf("full").some((step) => step.startsWith("run: npm run test:full"))).toBe(true);
    expect(below(WORKFLOW, "full")).toContain(
      "if: github.event_name == 'schedule' || github.event_name == 'workflow_dispatch'",
    );
  });

  test("may read, and nothing else", () => {
    expect(WORKFLOW.match(/permissions:/g)).toHaveLength(1);
    expect(below(WORKFLOW, "permissions").trim()).toBe("contents: read");
    expect(WORKFLOW).not.toMatch(/secrets\.|pull_request_target|write-all/);
    const checkouts = [...stepsOf("test"), ...stepsOf("full")].filter((step) => step.includes("/checkout@"));
    expect(checkouts).toHaveLength(2);
    for (const checkout of checkouts) expect(checkout).toContain("persist-credentials: false");
  });

  test("pins each action to a commit, and says which version that is", () => {
    const actions = [...WORKFLOW.matchAll(/uses: (.+)$/gm)].map((match) => match[1]);
    expect(actions.length).toBeGreaterThan(4);
    expect(
      actions.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action ?? "")),
    ).toEqual([]);
  });

  test("bounds the time of each job", () => {
    expect(below(WORKFLOW, "jobs").match(/^ {4}timeout-minutes: \d+$/gm)).toHaveLength(2);
  });

  test("calls scripts that are there and may be run", () => {
    const scripts = [...new Set(WORKFLOW.match(/\.ci\/[\w-]+/g))];
    expect(scripts.sort()).toEqual([".ci/install-mariadb", ".ci/remove-mysql", ".ci/run"]);
    for (const script of scripts) {
      expect(() => fs.accessSync(path.join(PROJECT, script), fs.constants.X_OK)).not.toThrow();
    }
  });
});
