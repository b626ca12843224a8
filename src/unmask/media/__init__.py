"""Bytes become frames; frames become bytes."""
