"""Graphs: the code here is the released one."""
