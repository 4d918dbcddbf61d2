"""Letters to people: written in the transaction of the deed that they tell of, sent afterwards."""
