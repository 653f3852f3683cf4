def lower(headers: dict[str, str]) -> dict[str, str]:
    """Headers as the endpoint hands them on: with lower-case names."""
    return {name.lower(): value for name, value in headers.items()}
