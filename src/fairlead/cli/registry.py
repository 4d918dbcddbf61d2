"""`fairlead registry-certificate`: what a Docker registry needs to trust the tokens of this server."""

from __future__ import annotations

from fairlead.cli.options import ConfigFile, Data, Keys, settings_of
from fairlead.parts import open_registry_tokens


def registry_certificate(data: Data = None, keys: Keys = None, config: ConfigFile = None) -> None:
    """Print the certificate for a Docker registry's `rootcertbundle`. The issuer of the tokens is `fairlead`."""
    settings = settings_of(config, data=data, keys=keys)
    print(open_registry_tokens(settings).certificate().decode(), end="")
