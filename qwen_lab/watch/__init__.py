"""What is watched, as data: calls, a stream, a sweep, the next token. No HTML, no view."""
