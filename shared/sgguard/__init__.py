"""Guards for cloud security groups: may this group be deleted, may this instance be launched."""

__all__ = ["__version__"]

__version__ = "0.1.0"
