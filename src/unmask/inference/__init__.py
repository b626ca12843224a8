"""A model and media become predictions; the model folder; aggregation."""
