"""The page, in a real Firefox: ``make firefox``."""
