"""Where do instances come from? Each vendor is one driver behind one interface."""
