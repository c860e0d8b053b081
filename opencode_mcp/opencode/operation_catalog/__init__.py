"""Table of OpenCode's operations, and the code that searches it and checks arguments."""
