"""M4A: boxes, tables and times of one track of sound."""
