"""Records in, text out: the only room that escapes and writes reports."""
