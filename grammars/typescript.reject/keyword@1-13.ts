function for(x: number): number {
  return x;
}
