"""Contact Cleanup for Slack. CONTRIBUTING.md shows the packages and what each may import."""

__version__ = "0.2.0"
