"""The ledger: an append-only history in a database, and the only truth; all else is derived from it."""
