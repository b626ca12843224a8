"""The vocabulary: the tables that the stages hand to each other, their strict readers and writers, and the errors."""
