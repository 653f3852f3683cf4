"""Decisions and groups for people and machines: JSON documents, text and graphs."""
