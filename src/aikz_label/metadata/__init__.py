"""Metadata that formats share: XMP, EXIF, IPTC-IIM, and the statements about AI that stand in them."""
