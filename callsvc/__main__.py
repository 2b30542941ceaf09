"""`python -m callsvc`: the same program as the `callsvc` command."""

from callsvc.cli import main

if __name__ == "__main__":
    main()
