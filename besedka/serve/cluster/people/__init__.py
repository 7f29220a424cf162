"""Names, rooms, rights and the audit log: `shared_people`, which all nodes have in common over the `people_stream`, whose messages are `people_entry`.

`offers` are those of this node that nobody has decided yet, and an `act` is an entry of the audit log on its way to the file.
"""
