"""The conformance of other libraries' samplers: the survey, and the defects that it found."""
