"""Headwater over HTTP: the facade and the pages."""

from headwater.web.application import create_app

__all__ = ["create_app"]
