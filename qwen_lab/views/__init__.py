"""From an answer to something to look at: pure functions that return a `View`."""
