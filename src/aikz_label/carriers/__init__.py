"""Carriers: where in a container the marker lives. An adapter inherits the one it uses."""
