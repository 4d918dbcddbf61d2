"""How is each type of task carried out?"""

from fairlead.domain.workflows.tasks.runner import Runner, Tools

__all__ = ["Runner", "Tools"]
