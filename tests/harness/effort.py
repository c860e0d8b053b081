"""Amount that the tests try: a representative part in an ordinary run, and all of it in ``make attack``."""

import os

THOROUGH = os.environ.get("TEXTS") == "long"
"""True in ``make attack``, with long texts and many examples."""
