"""The limits, and the shares of them."""
