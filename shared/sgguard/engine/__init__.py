"""One event's life: its context, the claim, facts and judgement, and what is carried out."""
