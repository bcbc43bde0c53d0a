"""The ledger's schema in versions, run by Alembic from inside the package."""
