"""Whether calibration data is sane: pure functions from what samples look like to findings.

An integer model whose calibration data was wrong is structurally perfect and scores 8 %, and the blame falls on
quantization. What can be seen in the data is said before anything is converted.
"""
