"""One file for each kind of proof, found by the name it has in the policy."""
