"""What is done about a verdict: a plan of exact changes, carried out so that nothing is lost."""
