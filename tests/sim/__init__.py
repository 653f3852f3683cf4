"""A deterministic simulator: whole stories of many workers in one process, on virtual time."""
