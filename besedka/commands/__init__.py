"""One module for each group of commands. `besedka.cli` imports it when a command of it runs, and the command then what it needs itself."""
