"""Tests of `besedka/serve/cluster/`."""
