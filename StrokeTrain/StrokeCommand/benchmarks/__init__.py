"""Speed against named references, measured in one run: what ``stroke bench NAME`` calls."""
