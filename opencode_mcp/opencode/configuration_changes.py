"""Words for when OpenCode loads its configuration, for every text that tells a caller to change it. Pure."""

CHANGES_LOADED = "OpenCode loads changes of its configuration when it opens the project anew, as after its restart."
