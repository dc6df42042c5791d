"""Absl, which LiteRT's quantizer logs with, keeps the error stream of its import: not one that pytest closes."""

import sys

from absl import logging

logging.get_absl_handler().python_handler.stream = sys.__stderr__
