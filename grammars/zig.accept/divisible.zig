pub fn divisible(number: u32, by: u32) bool {
    return by != 0 and number % by == 0;
}
