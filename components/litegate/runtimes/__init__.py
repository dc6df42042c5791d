"""Outputs from a file's bytes: what runs a .tflite."""
