"""`fairlead bench`: how fast is this server on this machine, against a floor measured in the same run?"""

from fairlead.cli.bench.command import bench

__all__ = ["bench"]
