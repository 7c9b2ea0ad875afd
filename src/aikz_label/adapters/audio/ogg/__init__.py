"""Ogg, and the sound that stands in it: Opus, FLAC and Vorbis."""
