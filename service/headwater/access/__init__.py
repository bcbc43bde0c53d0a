"""Who may see what: levels, readers and tokens."""
