"""`python -m gridpact`: the same as the command `gridpact`."""

from gridpact.scenarios.cli import main

if __name__ == "__main__":
    main()
