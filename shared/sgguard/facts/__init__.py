"""What must be read to judge an event, side by side, and whatever could not be read."""
