"""The HTTP doors under /api/v1/ (docs/api.md): who is asking, what for, and the answer's shape.

One module per kind of object; `door` is what they share. What is allowed and done is decided in
runs.py, editing.py and reading.py; nothing here touches a table.
"""
