"""Rows of the operations tables: their fields, their annotations, the rules for their arguments."""
