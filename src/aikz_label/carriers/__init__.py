"""Carriers: where in a container the marker lives. Adapters take one by composition."""
