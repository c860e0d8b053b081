"""Changes of a checkout that were begun and perhaps not finished, since git or the bridge was killed."""
