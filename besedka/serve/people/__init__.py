"""People, and who may what; all of it pure, kept in small text files by `besedka.serve.register`.

`presence` is who is here, `guests` by which connections, `names` whose a name is, `rooms` and `invitations` who belongs where,
`devices` how one takes a name along, `deeds` what was done to keep order, `order` what is in force, `admission` who may enter.
`table` is what the files have in common.
"""
