"""Annotated documents in the formats of other tools, with a report of what each cannot hold."""
