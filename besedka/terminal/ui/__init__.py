"""The user interface, on top of prompt_toolkit.

`output` prints above the input line, and `notifier` decides what; `formatting` and `status_bar` are pure and make styled text;
`input_line` takes lines, `completion` is Tab, `keyboard` turns what the terminal sends into keys; `phrases` has both languages.
"""
