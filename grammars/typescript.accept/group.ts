import { readFile, type Path } from "node:fs";

interface User {
  readonly name: string;
  city?: string;
  tags: Array<string>;
}

/** Group users by a key. */
export async function groupBy<K extends string, T = User>(users: T[], key: (user: T) => K, limit = 10): Promise<Record<K, T[]>> {
  const groups = {} as Record<K, T[]>;
  let count = 0;
  for (const user of users) {
    // Stop early.
    if (count++ >= limit) break;
    const k = key(user);
    groups[k] ??= [];
    groups[k].push(user);
  }
  for (let i = 0; i < 3; i++) {
    try {
      await save({ ...groups, at: `now ${i + 1}` });
    } catch (error) {
      throw new Error("cannot save", { cause: error });
    }
  }
  return groups;
}
