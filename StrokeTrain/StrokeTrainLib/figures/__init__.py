"""Figures worth printing, each written as PDF and PNG."""
