"""The figure of the group."""
