"""The page's own modules, run by node."""
