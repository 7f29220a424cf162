"""What has been done to other chats, done to this one: a test for each attack, from outside wherever it can be.

The attacks are those of OWASP's WebSocket Security cheat sheet, and those that worked on other chats.
"""
