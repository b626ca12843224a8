"""A challenge as other platforms take it: one file a platform, and programs that score without unmask."""
