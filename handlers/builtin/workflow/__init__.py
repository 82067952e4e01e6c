"""The `workflow` handler: a short report over given texts, each sentence with the passage that it rests on."""

from handlers.builtin.workflow.handler import WorkflowHandler

__all__ = ["WorkflowHandler"]
