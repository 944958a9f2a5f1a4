"""`python -m modhost`."""

from modhost_command import main

if __name__ == "__main__":
    main()
