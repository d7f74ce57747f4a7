"""The course: the lessons and how far one is in them."""
