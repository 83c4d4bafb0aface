"""From local field to susceptibility; one method per file."""
