"""The demonstration: emulated clouds, the real functions, and events sent to them."""
