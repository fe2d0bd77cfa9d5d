export function largest(values: number[]): number | undefined {
  if (values.length === 0) {
    return undefined;
  }
  return Math.max(...values);
}
