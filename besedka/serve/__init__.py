"""The server: the history, the rooms that are told from it, and the doors through which people come.

Folders, from the outside in: `doors` speak protocols, `session` gives frames their meaning, `chat` runs the rooms, each of which is a `room`;
`people` has the rules about persons and `directory` keeps what is known of them; `authentication` checks access keys; `limits` has the share of
each source; `history` is one room's log, on `files`; `cluster` orders messages together with other servers.

Start and end: `main` and `server` run it, by `settings`; `banner` is its output at the start, `mounts` warns of files that are mounted by
themselves, `own_addresses` are this machine's; `checking` looks at the settings without a start. `signals` end it or have it `reload`, of which the
`service_manager` is told. `shutdown_deadline` ends it in time, for which `disk_heartbeat` says whether the disk answers.

The log: `server_log` writes it, `log_event` names what is in a line, `refusal_tally` condenses refusals.

Tools: `clock`, `threads`, `tasks`, `background` loops, `counters`, `metrics` and their `exposition`, `errors`, `repeated_error`, which logs what
every request may meet, and `act_on_each`, which lets one faulty session not spare the others.
"""
