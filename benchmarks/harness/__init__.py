"""What the benchmarks of the whole system share: a system, its phones, its processes."""
