import type { Strength } from "./words";

/** From left to right. */
export const COLUMNS = ["applications", "roles", "base roles", "databases"] as const;

/** One of them. */
export type Column = (typeof COLUMNS)[number];

/** A box. */
export interface PictureNode {
  readonly id: string;
  readonly column: Column;
  /** More than one where they are alike in all that the picture shows. */
  readonly names: readonly string[];
  /** What else is said of it, or of each of them. */
  readonly lines: readonly string[];
  /** The farthest that its rights reach; absent where that is not known, or not the question. */
  readonly strength?: Strength;
  /** Rights that are not known here. */
  readonly unknown?: boolean;
  /** Of a node in the column of databases. */
  readonly database?: string;
}

/** A line between two boxes. */
export interface PictureEdge {
  readonly from: string;
  readonly to: string;
  readonly label?: string;
  readonly strength?: Strength;
}

/** What is drawn, whatever with. */
export interface Picture {
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly PictureEdge[];
}

/** More base roles than this are drawn in fewer columns. */
const CROWDED = 12;

/** Collects nodes and edges, and arranges them so that they stay legible. */
export class Drawing {
  private readonly nodes = new Map<string, PictureNode>();
  private readonly edges: PictureEdge[] = [];

  node(
    id: string,
    column: Column,
    name: string,
    lines: readonly string[],
    strength?: Strength,
    unknown = false,
  ): string {
    if (!this.nodes.has(id)) {
      this.nodes.set(id, { id, column, names: [name], lines, ...(strength && { strength }), unknown });
    }
    return id;
  }

  place(database: string, schema?: string): string {
    const whole = database === "?" ? "database not known here" : `database ${database}`;
    if (schema === undefined) return this.node(whole, "databases", database, ["database"]);
    return this.node(`schema ${database}.${schema}`, "databases", schema, [
      `schema of ${whole.replace(/^database (?!not)/, "")}`,
    ]);
  }

  unknown(from: string, name: string, line = "not known here"): void {
    this.edge(from, this.node(`rights of ${from}`, "base roles", name, [line], undefined, true));
  }

  edge(from: string, to: string, label?: string, strength?: Strength): void {
    if (this.edges.some((edge) => edge.from === from && edge.to === to && edge.label === label)) return;
    this.edges.push({ from, to, ...(label !== undefined && { label }), ...(strength && { strength }) });
  }

  picture(): Picture {
    const inPlace = [...this.nodes.values()].filter(({ column }) => column === "base roles");
    const nodes = [...this.nodes.values()];
    return inPlace.length > CROWDED
      ? together(folded({ nodes, edges: this.edges }))
      : together({ nodes, edges: this.edges }, false);
  }
}

/** So many lines that end in a few databases hide each other: each base role says itself what it may do where. */
function folded({ nodes, edges }: Picture): Picture {
  const places = new Map(nodes.filter(({ column }) => column === "databases").map((node) => [node.id, node]));
  const databases = new Set([...places.values()].map(({ database }) => database));
  const placeOf = (id: string) => {
    const { names, database = "", lines } = places.get(id)!;
    return lines[0] === "database" || databases.size === 1 ? names.join() : `${database}.${names.join()}`;
  };
  const rest = nodes.filter(({ id }) => !places.has(id));
  return {
    edges: edges.filter(({ to }) => !places.has(to)),
    nodes: rest.map((node) => {
      const byLabel = new Map<string, string[]>();
      for (const { from, to, label = "" } of edges) {
        if (from === node.id && places.has(to))
          byLabel.set(label, [...(byLabel.get(label) ?? []), placeOf(to)]);
      }
      if (byLabel.size === 0) return node;
      const rights = [...byLabel].map(([label, on]) => `${label}: ${on.join(", ")}`);
      return { ...node, lines: node.column === "base roles" ? rights : [...node.lines, ...rights] };
    }),
  };
}

/**
 * Puts nodes into one that have the same lines and neighbours, so that many of a kind stay legible.
 *
 * @param pairs whether also those that differ in a neighbour of their own, if these are alike: their names are in the same order
 */
function together({ nodes, edges }: Picture, pairs = true): Picture {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const into = (id: string) => edges.filter(({ to }) => to === id);
  const outOf = (id: string) => edges.filter(({ from }) => from === id);
  const isPrivate = (id: string) => pairs && byId.get(id)!.column === "base roles" && into(id).length === 1;
  const looks = ({ column, lines, strength, unknown }: PictureNode) => [column, lines, strength, unknown];
  const kindOf = (node: PictureNode): string => {
    if (node.column === "databases") return node.id;
    const [only] = into(node.id);
    if (isPrivate(node.id)) return `of ${kindOf(byId.get(only!.from)!)}: ${JSON.stringify(looks(node))}`;
    const ends = outOf(node.id).map(({ to, label }) => [isPrivate(to) ? looks(byId.get(to)!) : to, label]);
    return JSON.stringify([looks(node), into(node.id).map(({ from }) => from), ends]);
  };
  const kinds = new Map<string, PictureNode>();
  for (const node of nodes) {
    const kind = kindOf(node);
    const there = kinds.get(kind);
    kinds.set(kind, there ? { ...there, names: [...there.names, ...node.names] } : node);
  }
  const kept = [...kinds.values()];
  const isKept = (id: string) => kept.some((node) => node.id === id);
  return { nodes: kept, edges: edges.filter(({ from, to }) => isKept(from) && isKept(to)) };
}
