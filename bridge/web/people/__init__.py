"""Who asks: known by a token, by GitHub, by a proxy, or for sitting at this machine."""
