"""What leaves the process about its own work: log lines, with no secret in them."""
