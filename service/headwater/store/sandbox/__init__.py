"""The sandbox for strangers' queries: worker processes that read a snapshot of the store and can be killed at any time.

Oxigraph has neither a time limit nor a way to stop a query, and some texts end the process that runs them. So a stranger's query
runs in a process of its own pool: on a snapshot that nobody writes to, with a limit on time, memory and the size of the answer. A
killed or broken worker is replaced; nothing else notices.
"""

from headwater.store.sandbox.pool import Begun, Busy, Job, Limits, QueryBroke, QueryTimeout, Sandbox, Stream
from headwater.store.sandbox.snapshots import Checkpointed as Copyable

__all__ = ["Begun", "Busy", "Copyable", "Job", "Limits", "QueryBroke", "QueryTimeout", "Sandbox", "Stream"]
