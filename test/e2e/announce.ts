/** Shows a line of the sandbox's in the test's output, such as which provider plugins serve, without jest's frame. */
export function announce(line: string): void {
  process.stderr.write(`    ${line}\n`);
}
