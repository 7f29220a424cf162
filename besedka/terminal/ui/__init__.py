"""What a person sees and types into: output, status bar, input line, keyboard, phrases."""
