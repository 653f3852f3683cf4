"""The HTTP side of a function: from the request that came in to the response."""
