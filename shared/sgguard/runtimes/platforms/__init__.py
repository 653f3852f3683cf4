"""What differs between platforms: a module each, which knows no other (``base.Platform``)."""
