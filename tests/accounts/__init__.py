"""One deployment, many accounts: whose credentials are used, and for how long."""
