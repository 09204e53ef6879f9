"""What every test runs under."""

from hypothesis import settings

# A busy machine makes an example slow, not wrong.
settings.register_profile("bridge", deadline=None)
settings.load_profile("bridge")
