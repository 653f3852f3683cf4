"""The channels: one module per kind of chat, with ``CHANNEL``, found by its name."""
