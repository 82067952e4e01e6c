"""Outbound clients, shared by all handlers of a process: the only importers of boto3 and opensearchpy.

    clients.register("weather", make_weather_client)     # handlers then ask for `weather_client`

Owns the clients by name, when they are made and closed, and why one isn't available. Which handler gets which is
handlers.injection's.
"""

from handlers.clients.built_in import register_built_in_clients
from handlers.clients.metrics import metrics_client
from handlers.clients.registry import ClientRegistry

__all__ = ["ClientRegistry", "clients", "metrics_client"]

clients = ClientRegistry()
register_built_in_clients(clients)
