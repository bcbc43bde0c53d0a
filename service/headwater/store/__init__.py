"""The triplestore: one protocol, the embedded Oxigraph behind it, and the views that questions run on."""
