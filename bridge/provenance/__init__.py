"""Who built the wheel: whom a pipeline trusts, what was attested, and what that proves. Pure."""
