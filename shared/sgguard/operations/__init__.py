"""What an operator does: explain, restore, resume, replay recorded facts, examine a cloud."""
