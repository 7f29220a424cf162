"""The doors: each speaks one protocol to the outside and knows the chat inside, and none knows another."""
