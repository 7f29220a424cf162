"""People, and who may what; all of it pure, kept in small text files by `besedka.serve.directory`.

`presence` is who is here, `sessions` by which connections, `names` whose a name is, `rooms` and `invitations` who belongs where,
`devices` how one takes a name along, `entries` what was done to keep order, `moderation` what is in force, `policy` who may enter.
`table` is what the files have in common.
"""
