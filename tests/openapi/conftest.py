"""The hooks belong to schemathesis, which loads them itself."""

collect_ignore = ["hooks.py"]
