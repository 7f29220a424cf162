"""``python -m besedka`` is the same as ``besedka``."""

from besedka.cli import main

if __name__ == "__main__":
    main()
