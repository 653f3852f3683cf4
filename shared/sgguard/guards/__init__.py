"""Guards: pure functions from facts and policy to a judgement."""
