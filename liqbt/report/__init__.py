"""Results -> HTML and PNG. Nothing here computes a statistic: it draws and lists what it is given."""
