"""A decision in words of a language, made when it is shown; each language has a catalogue."""
