"""A challenge: its definition, the check of a submission, and the ranking."""
