"""What do stacks need that is not in the database?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fairlead.base.seal import Seal
from fairlead.domain.stacks.model import NoDriver
from fairlead.domain.stacks.templates import Limits
from fairlead.domain.stacks.templates.vendors import HABITS
from fairlead.domain.stacks.vendors.driver import Driver
from fairlead.domain.stacks.vendors.local import LocalDriver


@dataclass(frozen=True, slots=True)
class Tools:
    """`drivers` are found by the name of the vendor whose templates they run; `api_url` is what agents call.

    All stacks on this host together may have `local_instances` (0: any number).
    """

    seal: Seal
    drivers: Mapping[str, Driver]
    api_url: str
    settle_seconds: float = 900
    limits: Limits = field(default_factory=Limits)
    local_instances: int = 0

    def driver(self, vendor: str) -> Driver:
        """What runs templates of this vendor; otherwise `NoDriver`."""
        if vendor not in self.drivers:
            raise NoDriver(vendor=vendor, drivers=", ".join(sorted(self.drivers)) or "no vendor at all")
        return self.drivers[vendor]

    def most_instances(self, vendor: str) -> int | None:
        """How many there may be in all stacks where templates of this vendor are run; `None`: any number."""
        driver = self.drivers.get(vendor)
        is_bounded = driver is not None and driver.name == LocalDriver.name and self.local_instances
        return self.local_instances if is_bounded else None


def vendor_names() -> list[str]:
    """The vendors that templates may name, whether or not there is a driver for them."""
    return list(HABITS)
