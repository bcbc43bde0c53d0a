"""Headwater over HTTP: the facade and the pages."""
