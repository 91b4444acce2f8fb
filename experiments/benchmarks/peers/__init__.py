"""Time: other libraries."""
