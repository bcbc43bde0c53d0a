"""A record is the unit of writing: one source document as RDF, normalised, entailed, and ready for the gate."""
