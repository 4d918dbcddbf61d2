"""Services with the programs that they stand for: Debian's EMBOSS, PHYLIP, HMMER, clustal, and others."""
