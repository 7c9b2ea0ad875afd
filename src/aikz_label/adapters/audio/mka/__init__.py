"""Matroska and WebM with one sound: its blocks, and the same file with blocks of notices between them."""
