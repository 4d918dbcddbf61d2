"""What an organization runs in the cloud or on this host: layers of instances that a template describes."""
