"""Checking before writing: the SHACL gate, and its report as sentences."""
