"""What the user sees and types into, on top of prompt_toolkit.

`output` prints above the input line, and `notifier` says what; `formatting` and `status_bar` are pure and make styled text;
`input_line` is where the user types, `completion` is Tab, `keyboard` turns what the terminal sends into keys; `phrases` has both languages.
"""
