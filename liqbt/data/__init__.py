"""Recorded files, validated once and kept in a Parquet store."""
