"""litegate decides which quantized LiteRT file may ship.

The light core (`errors`, `spec`, `records`, `storage`, `store`, `gate`, ...) imports neither Airflow
nor TensorFlow nor MLflow; the modules of `litegate.steps` do the heavy work, each in a child process.
"""

__version__ = "0.1.0"
