"""How is a runner started? `python -I -S FOLDER-OF-THIS-FILE …`: without the packages around, which are large."""

from __future__ import annotations

import importlib
import os
import sys
import types

if __name__ == "__main__":
    alone = types.ModuleType("runner")
    alone.__path__ = [os.path.dirname(os.path.abspath(__file__))]
    sys.modules["runner"] = alone
    importlib.import_module("runner.running").main(sys.argv[1:])
