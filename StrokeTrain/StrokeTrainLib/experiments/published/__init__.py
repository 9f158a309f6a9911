"""What the papers printed, copied cell by cell; where they contradict themselves, a footnote says so."""

from .source import Footnote, Paper, PublishedTable, Quote, Row

__all__ = ["Footnote", "Paper", "PublishedTable", "Quote", "Row"]
