"""Reports of runs to the command and the address of the operator (``--on-finish``, ``--on-finish-url``)."""
