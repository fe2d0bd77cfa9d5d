const double = (xs: number[], by = 2): number[] => xs.map((x) => x * by).filter((x) => x % 2 === 0 && x > 1 ? true : false);
