"""Tables of the person's own: CSV, TSV, JSON lines, Parquet and Excel."""
