import type { Shell } from "../../cli/shell";

/** A shell that keeps what is printed. */
export class FakeShell implements Shell {
  readonly out: string[] = [];
  readonly err: string[] = [];
  readonly ask?: (question: string) => Promise<string>;
  underWay: string | undefined;

  /** @param answer what is answered to questions; nobody is there to ask if absent */
  constructor(
    readonly env: NodeJS.ProcessEnv,
    answer?: string,
  ) {
    if (answer !== undefined) {
      this.ask = (question) => {
        this.err.push(question);
        return Promise.resolve(answer);
      };
    }
  }

  print(text: string): void {
    this.out.push(text);
  }

  note(text: string): void {
    this.err.push(text);
  }

  changing(what: string | undefined): void {
    this.underWay = what;
  }

  delegate<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }
}
