collect_ignore = ["example_repo"]  # run as a repository of its own
