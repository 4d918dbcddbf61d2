"""What Fairlead is about. Each package is entered by its front door: `from fairlead.domain import devices`."""
