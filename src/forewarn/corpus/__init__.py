"""From source files to a corpus that others load: checks, build, load."""
