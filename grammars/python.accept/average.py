def average(numbers: list[float]) -> float:
    """Return the mean, or 0 for an empty list."""
    if not numbers:
        return 0.0
    return sum(numbers) / len(numbers)
