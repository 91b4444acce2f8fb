"""The errors that a user of the kit can correct; each message is one line: what is wrong, where,
and what to do.
"""

from ams.errors import DataUnavailable, UserError, unknown

__all__ = ["DataUnavailable", "UserError", "unknown"]
