"""What the pages of links say, in each language."""
