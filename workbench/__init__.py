"""The composition root: settings, the user model, the server, and the checks that need the whole site.

May import `chats` and `handlers`; neither may import this package.
"""
