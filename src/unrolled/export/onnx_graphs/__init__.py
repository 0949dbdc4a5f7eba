"""ONNX files: written by torch's exporter, whose axes are named, and compared with what they came from."""
