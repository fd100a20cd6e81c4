"""Versions as one file: written, and read without trusting any of it."""
