"""``python -m xpnet`` is the command line."""

from xpnet.cli import main

if __name__ == "__main__":
    main()
