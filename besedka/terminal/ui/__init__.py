"""The user interface, on top of prompt_toolkit.

`output` prints above the input line, `wrapping` breaks lines into rows, `notifier` shows messages and notices there; `formatting` and
`status_bar` are pure and make styled text; `input_line` edits lines, `completion` is Tab, `keyboard` parses the terminal's input into keys;
`terminal_quirks` corrects what prompt_toolkit writes; `phrases` has both languages.
"""
