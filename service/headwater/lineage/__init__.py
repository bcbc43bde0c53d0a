"""The lineage index and what is computed on it: traversal, verdicts, benefit. Arrays in, values out."""
