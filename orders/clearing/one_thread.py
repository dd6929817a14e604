"""Keeps the products of vectors in one thread; imported before NumPy is.

The engine multiplies many short vectors. Waking a second thread for each costs more than it saves,
and a sum would depend on the number of processors.
"""

import os

# For the C library that reads it when NumPy is loaded; nothing is read here.
os.putenv("OPENBLAS_NUM_THREADS", "1")
