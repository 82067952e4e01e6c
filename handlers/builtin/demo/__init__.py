"""The `demo` handler: every kind of event, without a model."""

from handlers.builtin.demo.handler import DemoHandler

__all__ = ["DemoHandler"]
