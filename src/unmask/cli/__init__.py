"""One thin command file a verb."""
