"""The local endpoint: a real Qwen on this machine behind DashScope's protocol."""
