pub fn f(x) u32 {
    return x;
}
