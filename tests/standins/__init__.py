"""Servers that stand in for a vendor's, at wire level, for the unmodified SDKs. Also started by `python -m`."""
