"""Sound that a container holds packet by packet: how each coding tells the length of a packet, and codes a notice alike."""
