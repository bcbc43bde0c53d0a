"""Who may see and do what: visibility levels, readers and tokens."""

from headwater.access.reader import LOCAL, Reader
from headwater.access.tokens import TokenBook, who

__all__ = ["LOCAL", "Reader", "TokenBook", "who"]
