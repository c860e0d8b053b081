"""Reports of runs: their text, their data, and the next steps that they name."""
