"""The local model's file: where it lies and where it comes from."""
