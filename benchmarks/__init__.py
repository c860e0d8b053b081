"""What the bridge costs over OpenCode itself, measured as ratios in one run; no test asserts any of it."""
