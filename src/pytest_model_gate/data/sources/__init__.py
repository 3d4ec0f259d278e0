"""Where datasets come from: one file per kind of source, each opened as one exact version."""
