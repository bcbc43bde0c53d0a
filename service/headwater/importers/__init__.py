"""Reading the metadata that scientists' tools already write: one file (or folder) per source format."""
