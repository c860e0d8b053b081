"""Tests of changes of a checkout that were begun and not finished."""
