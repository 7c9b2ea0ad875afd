"""AVIF, HEIC and the other files of ISO/IEC 23008-12.

`items` reads what is in a file, `layout` writes it, `tree` knows how pictures are put together, `planes` are the numbers
of a coded picture, `coders` are the codecs (`libavif`, `hevc`), `picture` joins all that, `container` is what the adapter
sees.
"""
