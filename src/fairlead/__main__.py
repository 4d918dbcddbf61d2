"""`python -m fairlead`: the same as the command `fairlead`."""

from fairlead.cli import main

main()
