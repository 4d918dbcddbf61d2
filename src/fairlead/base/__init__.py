"""What the house stands on: database, errors, scope, clock, blobs. Knows no noun of the domain."""
