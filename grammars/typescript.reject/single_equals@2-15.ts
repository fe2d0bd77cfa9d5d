function f(x: number) {
  return x => ;
}
