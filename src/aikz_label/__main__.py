"""`python -m aikz_label`."""

from aikz_label.cli import entry

entry()
