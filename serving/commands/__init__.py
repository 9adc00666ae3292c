"""The commands of `tijdig`, one module per kind of work."""
