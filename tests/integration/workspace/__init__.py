"""Files and searches of a project, its folders, and definitions that appear in it."""
