"""Names, rooms, rights and the audit log: `shared_people`, which all nodes have in common over the `people_stream`, whose messages are `people_entry`."""
