"""Faults injected into runs: kills, disks that fail, files that are damaged, clocks, hosts, surroundings, mirrors.

`ams mutate` asks whether tests notice wrong code; `ams faults` asks whether right code survives a wrong world. After
each fault the same few requirements must be met (`requirements`): nothing whole is lost, nothing wrong is shown, the
exit code is one of those documented, and the next plain run ends as one that nothing has disturbed.
"""
