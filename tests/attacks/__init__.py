"""Known attacks on chats, tried on this one: a test for each, from outside wherever possible.

The attacks are those of OWASP's WebSocket Security cheat sheet, and those that worked on other chats.
"""
