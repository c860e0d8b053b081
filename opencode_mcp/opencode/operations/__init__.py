"""The tables of OpenCode's operations, and the code that uses them."""
