"""People and their rights. Pure; `besedka.serve.directory` keeps it in small text files.

`person` has the people present, `sessions` their connections, `names` the holders of names, `memberships` and `invitations` the members of
private rooms, `direct` the rules of direct messages, `blocks` who has blocked whom, `room_looks` the rooms by what their names look like,
`devices` the links that add a device. `audit_entry` has the entries of the audit log, `acts_in_force` what follows from them: mutes and bans, which
are `restrictions`, and `slow_rooms`. `policy` has the rules of entry, `uptime` whether the wall clock can be believed, and `written_times` the
times in the files. `table` is the common format of the files.
"""
