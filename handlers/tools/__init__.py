"""Tools: plain functions that a model may call while it answers.

    @tool
    def order_status(number: int) -> dict:
        "Where an order is."

    tools.register(order_status)

Owns how a function becomes a tool, the registry, how a call is made (argument checks, threads, time, size), and the
built-in tools. Knows nothing of models and chats: which tools an answer may use, and what is done with what they give,
is the handler's.
"""

from handlers.tools.calculator import calculator
from handlers.tools.calling import Outcome, ToolBox
from handlers.tools.clock import current_time
from handlers.tools.registry import ToolRegistry
from handlers.tools.typed import Tool, ToolContext, ToolError, tool

__all__ = ["Outcome", "Tool", "ToolBox", "ToolContext", "ToolError", "ToolRegistry", "tool", "tools"]

tools = ToolRegistry()
tools.register(calculator)
tools.register(current_time)
