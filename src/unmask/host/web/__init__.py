"""The server's API and pages."""
