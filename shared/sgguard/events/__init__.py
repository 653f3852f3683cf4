"""Where events come from: one file per source, each turning bytes into events."""
