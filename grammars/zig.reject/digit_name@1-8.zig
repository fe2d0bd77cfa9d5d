pub fn 7(x: u32) u32 {
    return x;
}
