"""One module for each group of commands. What is heavy is imported when a command runs, so that `--help` is quick."""
