"""MP3: frames of MPEG audio, and the header that counts them."""
