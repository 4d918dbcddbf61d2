"""`python -m fairlead.cli.simulate`: the same without the rest of the command line."""

import typer

from fairlead.cli.simulate import simulate

typer.run(simulate)
