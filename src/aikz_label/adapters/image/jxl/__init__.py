"""JPEG XL (ISO/IEC 18181): the notice is a layer over a picture that is not coded anew.

`header` and `frames` find their way through the codestream (`bits`, `entropy`), `layer` writes the notice, `container` is
what the adapter sees, `picture` what is decoded to be compared and measured.
"""
