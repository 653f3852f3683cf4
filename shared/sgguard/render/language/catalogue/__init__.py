"""The words of chat, one module per language; each has every key, with the same placeholders."""
