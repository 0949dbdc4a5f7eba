"""Models over HTTP and WebSocket: predictions, texts as they are written, sessions fed step by step."""
