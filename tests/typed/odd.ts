// Types in each other, as a context for grammars.

declare const grid: number[][];
declare const deep: Map<string, Map<number, boolean | undefined>>;
declare const flags: Record<string, boolean>;
declare const table: { [key: string]: string[] };
declare const maybeList: number[] | undefined;
declare const maybeName: string | null;
declare let choose: (f: (x: number) => boolean, x: number) => boolean;
const regex = /[{(]/;
const text: string = `a ${"}"} b`;

export default class Node {
  next: Node | undefined;
  parent: Node | null = null;
  children: Node[] = [];
  #hidden = 1;
  static count: number = 0;
  visit: (x: number) => boolean = isEven;

  constructor(public value: number, private depth: number, next?: Node) {
    this.next = next;
  }

  get type(): string {
    return "node";
  }

  last(): Node | null {
    return null;
  }

  named(name: string | null, ...rest: number[]): string | undefined {
    return name ?? undefined;
  }
}

interface Shape extends Object {
  area(): number;
  side?: number | undefined;
}

interface Empty {}

interface Options {
  name: string;
  limit?: number;
  flags: Record<string, boolean>;
  delete: boolean | undefined;
}

abstract class Base {
  abstract run(): number;
}

function isEven(x: number): boolean {
  return x % 2 === 0;
}

function apply(f: (x: number) => boolean, x: number): boolean {
  return f(x);
}

function overloaded(x: number): number;
function overloaded(x: string): string;
function overloaded(x: unknown): unknown {
  return x;
}

function optional(x: number | undefined): boolean | undefined {
  return x === undefined ? undefined : x > 0;
}

function complete(node: Node, shape: Shape, options: Options | null, nodes: (Node | undefined)[], flag: boolean): number {
  return 0;
}
