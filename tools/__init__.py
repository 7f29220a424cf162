"""Chores of the developers; each has a verb in the Makefile."""
