// A shop, as a context for grammars.

export enum Kind {
  Food,
  Tool,
}

export interface Item {
  readonly name: string;
  price: number;
  kind: Kind;
  tags: string[];
  note?: string;
}

type Point = { x: number; y: number };
type Pair<T> = [T, T];

export class Cart {
  items: Item[];
  private seen = new Set<string>();

  constructor(public owner: string, items: Item[], readonly best: Item | null = null) {
    this.items = items;
  }

  find(name: string): Item | undefined {
    return this.items.find((item) => item.name === name);
  }

  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  total(tax: number, reduced?: boolean): number {
    return this.items.reduce((sum, item) => sum + item.price, 0) * (1 + tax);
  }

  add(item: Item): void {
    this.items.push(item);
  }
}

const tax: number = 0.19;
let names: string[] = ["ada"];
const stock: Record<string, number> = {};
const origin: Point = { x: 0, y: 0 };
const untyped = 3;
const open: boolean = true;

function half(price: number, count: number): number {
  return price / 2 + count;
}

const discount: (price: number, count: number) => number = half;

const shout = (text: string): string => text.toUpperCase();

function repeat(text: string, times: number = 2): string {
  return text.repeat(times);
}

export function cheapest(items: Item[]): Item {
  return items[0] ?? { name: "", price: 0, kind: Kind.Food, tags: [] };
}

function counts(items: Item[]): Map<string, number> {
  return new Map(items.map((item) => [item.name, item.price]));
}

function first<T>(items: T[]): T | undefined {
  return items[0];
}

async function load(name: string): Promise<Item> {
  throw new Error(name);
}

function priceOf(cart: Cart, name: string, count: number, sale: boolean, other?: Item): number {
  return 0;
}
