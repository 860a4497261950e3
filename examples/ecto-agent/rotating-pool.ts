import * as fs from "node:fs";
import { SwappingPool, type DatabaseLogin, type SwappingPoolOptions } from "../shared/swapping-pool";

export interface RotatingPoolOptions extends SwappingPoolOptions {
  /** File of credentials, as JSON, which the agent renders. */
  readonly file: string;
  /** How often to look at the file, in milliseconds. @default 1000 */
  readonly pollMs?: number;
  /** Called after each swap, without secrets. */
  readonly onRotation?: (username: string) => void;
}

/** A pool that follows a file of credentials. */
export class RotatingPool extends SwappingPool {
  static async open(options: RotatingPoolOptions): Promise<RotatingPool> {
    const rotating = new RotatingPool(options);
    await rotating.swap(read(options.file));
    // By polling: the agent replaces the file, and some file systems tell no one.
    fs.watchFile(options.file, { interval: options.pollMs ?? 1000 }, rotating.noticed);
    return rotating;
  }

  private constructor(private readonly options: RotatingPoolOptions) {
    super(options);
  }

  /** Stops watching and waits for what runs. */
  override async close(): Promise<void> {
    fs.unwatchFile(this.options.file, this.noticed);
    await super.close();
  }

  protected async lookAgain(): Promise<void> {
    if (await this.swap(read(this.options.file))) this.options.onRotation?.(this.username);
  }

  private readonly noticed = (): void => void this.refresh();
}

function read(file: string): DatabaseLogin {
  return JSON.parse(fs.readFileSync(file, "utf8")) as DatabaseLogin;
}
