"""Tests of git in a recorded repository."""
