"""A raw public dataset folder becomes a manifest; splits, leak checks."""
