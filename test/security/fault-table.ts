import { expectDocumented, type Table } from "./documented";
import { FULL } from "./servers";

/** What takes long is left to the full set. */
export const testInFull = FULL ? test : test.skip;

/** The faults that one test brings about, as rows of docs/security/faults.md. */
export class FaultTable {
  private readonly seen: string[][] = [];

  constructor(
    /** Name of the test file, without its ending. */
    private readonly owner: string,
  ) {}

  /** A fault whose outcome goes into the documentation once it was seen. */
  fault(
    what: string,
    outcome: string,
    remedy: string,
    story: () => Promise<void>,
    run: (name: string, story: () => Promise<void>) => void = test,
  ): void {
    run(`${what}: ${outcome}`, async () => {
      await story();
      this.seen.push([what, outcome, remedy, this.owner]);
    });
  }

  /** To be called after all faults. */
  isDocumented(): void {
    test("the documentation says so", () => expectDocumented(this.table, this.seen, FULL));
  }

  private get table(): Table {
    return {
      file: "faults.md",
      introduction: `# What happens when something fails

Made by the tests in \`test/security\` that the last column names. They bring each of these about on real servers and see
that it comes out as it says here.`,
      columns: ["what fails", "what happens", "what to do", "test"],
      owner: this.owner,
    };
  }
}
