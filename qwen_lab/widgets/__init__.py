"""Widgets that turn a call's parameters, make the call, and show what comes back."""
