"""A stand-in for the released OpenCode 2: the contract's shapes without an engine, for what the preview cannot do."""
