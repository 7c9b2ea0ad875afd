"""Other people's frameworks, one file each. The core never imports them, and they import the framework only when used."""
