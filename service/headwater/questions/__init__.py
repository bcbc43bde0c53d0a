"""Asking: the catalogue of `queries/`, how one of them is asked, and what is known of one object."""
