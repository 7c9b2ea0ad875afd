"""Samples in chunks: WAV and AIFF."""
