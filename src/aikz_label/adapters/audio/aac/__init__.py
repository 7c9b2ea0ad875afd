"""AAC: its coding, and files of bare packets (ADTS)."""
