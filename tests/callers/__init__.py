"""Callers of functions: proofs, what is permitted to whom, and the way of a request."""

ALL_FUNCTIONS = [
    "approval",
    "bind_request",
    "chat",
    "cloud_event",
    "delete_request",
    "instance_launch",
]

EVERYBODY = f"""
[[caller]]
name = "platform"
proof = {{ platform = "scf" }}
functions = {ALL_FUNCTIONS}
targets = ["*:*:*:*"]
mode = "enforce"
speaks_for = ["*"]
"""
"""A table for tests about something else: every request is of a caller that may everything."""
