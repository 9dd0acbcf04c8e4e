"""The widget, the chat as a page, and the company's help pages: blueprint ``widget``."""

from web.widget.pages import blueprint

__all__ = ["blueprint"]
