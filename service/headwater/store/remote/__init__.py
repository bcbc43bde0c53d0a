"""Any SPARQL 1.1 server as the triplestore: Headwater writes its graphs there and asks it over HTTP."""

from headwater.store.remote.addresses import Addresses
from headwater.store.remote.asking import RemoteSandbox
from headwater.store.remote.store import RemoteStore

__all__ = ["Addresses", "RemoteSandbox", "RemoteStore"]
