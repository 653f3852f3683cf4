"""What leaves the process about its own work: log lines, metrics and traces, without a secret.

Every folder may use this one, so it imports none of them. Nothing is counted, and no library is
imported, until :mod:`sgguard.telemetry.setup` is told to.
"""
