"""People, and who may what; all of it pure, kept in small text files by `besedka.serve.register`.

`presence` is who is here, `names` whose a name is, `rooms` and `invitations` who belongs where, `devices` how one takes a name
along, `admission` who may enter.
"""
