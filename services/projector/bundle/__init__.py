"""Portable bundles: a person's own relationships in formats others read, signed."""
