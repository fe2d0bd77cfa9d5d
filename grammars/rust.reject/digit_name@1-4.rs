fn 2_numbers(x: i32) -> i32 {
    x
}
