"""The HTTP API of a portal of scientific services, as Mobyle2 published it, and what makes it whole."""
