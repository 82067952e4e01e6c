"""What the product is compared with: servers that speak as much of its websocket protocol as one stream needs."""
