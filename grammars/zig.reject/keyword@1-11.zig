pub fn try(x: u32) u32 {
    return x;
}
