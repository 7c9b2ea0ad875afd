"""Metadata of sound files: what they say of AI, and what a label writes into them; everything else stays byte for byte."""
