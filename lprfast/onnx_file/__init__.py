"""What an ONNX file is made of, read without the onnx package: behind ``lprfast models check``."""
