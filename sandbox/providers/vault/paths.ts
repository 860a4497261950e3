// Paths in the API, which are also the ids of what is there.

export function trimSlashes(path: string): string {
  return path.replace(/^\/+|\/+$/g, "");
}

export function segments(pattern: RegExp, id: string): [all: string, first: string, second: string] {
  const match = pattern.exec(id);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new Error(`the id ${JSON.stringify(id)} is not of the form ${pattern.source}`);
  }
  return [match[0], match[1], match[2]];
}
