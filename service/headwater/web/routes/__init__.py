"""What the service answers, one file per subject."""
