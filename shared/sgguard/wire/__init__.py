"""Talking HTTP to a cloud: clients, deadlines, retries, fan-out and the signature schemes."""
