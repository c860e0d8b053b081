"""Benchmarks of what the bridge costs over OpenCode itself, as ratios and differences; no test asserts a figure."""
