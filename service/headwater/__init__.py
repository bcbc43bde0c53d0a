"""Headwater: the provenance of scientific machine learning as a knowledge graph that gives verdicts."""

__version__ = "0.1.0"
