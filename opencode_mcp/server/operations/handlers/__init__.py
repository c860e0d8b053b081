"""Operations that need more than a plain call, a module for each kind, and the table of them."""
