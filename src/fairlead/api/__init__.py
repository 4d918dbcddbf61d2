"""What the world calls. Each API has its own folder, and none knows another."""
