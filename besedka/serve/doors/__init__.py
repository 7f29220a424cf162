"""The doors: each speaks one protocol to the outside and knows the chat inside; no door knows another."""
