"""Writing an object out in the formats that others read: one file per target format."""
