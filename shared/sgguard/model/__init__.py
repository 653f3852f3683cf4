"""What travels between the parts: addresses, requests, facts, decisions and changes."""
