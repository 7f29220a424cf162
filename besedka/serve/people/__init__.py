"""People and their rights. Pure; `besedka.serve.directory` keeps it in small text files.

Who is there: `person` has the people present, `sessions` their connections, `names` the holders of names, `verification` which messages of
the log are theirs, `devices` the links that add a device, `read_marks` how far they have read.

Rooms: `memberships` and `invitations` have the members of private rooms, `direct` the rules of direct messages, `blocks` who has blocked
whom, `room_looks` the rooms by what their names look like, `room_quotas` how many private and direct ones there may be.

Rules: `policy` has those of entry. `audit_entry` has the entries of the audit log, `acts_in_force` what follows from them: mutes and bans,
which are `restrictions`, `slow_rooms`, and `ended_rooms`; `recent_origins` knows where guests have posted from.

Files: `table` is their common format, `agreed_rows` are those that all nodes of a cluster have, `written_times` the times in them, `uptime` says whether the wall clock can be believed.
"""
