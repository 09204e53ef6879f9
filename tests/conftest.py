"""What every test runs under."""

import os

from hypothesis import settings

# A busy machine makes an example slow, not wrong. The same examples every time, so that a test
# does not fail by chance; SOAK=1 looks for new ones.
settings.register_profile("bridge", deadline=None, derandomize="SOAK" not in os.environ)
settings.load_profile("bridge")
