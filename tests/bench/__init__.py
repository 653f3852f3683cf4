"""Ratios, never absolute times: each figure is set against something measured in the same run."""
