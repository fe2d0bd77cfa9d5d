pub fn sum_even(numbers: &[i64]) -> i64 {
    numbers.iter().copied().filter(|n| n % 2 == 0).sum()
}
