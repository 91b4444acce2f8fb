"""What this suite's notebooks begin with: `page = open_group("annealed")`."""

from ams_suite.project import PROJECT
from verdicts.run.group_page import GroupPage


def open_group(name: str) -> GroupPage:
    """Return a group's checks, figures and tables, to be shown."""
    return GroupPage(name, PROJECT)
