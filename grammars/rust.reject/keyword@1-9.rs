fn match(x: i32) -> i32 {
    x
}
