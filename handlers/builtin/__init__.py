"""The handlers that come with the product, one folder each, all alike."""
