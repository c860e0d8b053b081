"""Checks that a repository and the folders of a checkout can be written, before anything is changed."""
