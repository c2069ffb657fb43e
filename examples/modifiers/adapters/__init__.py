"""Adapters of this project."""
