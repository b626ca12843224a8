"""A challenge's definition, the checks of a submission, the ranking."""
