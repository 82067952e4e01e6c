"""The API described by itself: the OpenAPI 3.1 document, and the same as a page.

Bodies are described by the models that check them, and addresses, methods and scopes by the doors; what answers look
like is said in `shapes`, and what each door is for in `operations`. Tests hold all of it to real answers.
"""
