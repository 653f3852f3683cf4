"""What is said by code, in words: a folder per language, a module per who says it."""
