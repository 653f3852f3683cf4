"""Requests that we send to addresses which others name: judged, pinned, signed, bounded."""
