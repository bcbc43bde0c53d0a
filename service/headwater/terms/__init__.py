"""IRIs and kinds: the names of things, minted, recognised and read from `ontology/`."""
