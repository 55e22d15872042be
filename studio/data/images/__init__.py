"""Pictures of the person's own: class folders, a table, masks and boxes."""
