"""Faults injected into runs: kills, calls that fail, full disks, damaged files, clocks,
surroundings.

`tools.mutation` asks whether tests notice wrong code; `tools.faults` asks whether right code
survives a wrong world. After each fault the same few requirements must be met (`requirements`):
nothing whole is lost, nothing wrong is shown, the exit code is one of those documented, and the
next plain run ends as one that nothing has disturbed.
"""
